package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fs.FS {
	return fstest.MapFS{
		".keep":              {},
		"index.html":         {Data: []byte("start")},
		"call.html":          {Data: []byte("call")},
		"assets/app-A1B2.js": {Data: []byte("export {}")},
	}
}

func get(t *testing.T, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestPagesAreServedByAddress(t *testing.T) {
	h := newHandler(built())
	for _, test := range []struct {
		target string
		status int
		body   string
	}{
		{"/", http.StatusOK, "start"},
		{"/c/some-invitation", http.StatusOK, "call"},
		{"/assets/app-A1B2.js", http.StatusOK, "export {}"},
		{"/c/", http.StatusNotFound, ""},
		{"/c/a/b", http.StatusNotFound, ""},
		{"/index.html", http.StatusNotFound, ""},
		{"/.keep", http.StatusNotFound, ""},
		{"/assets/", http.StatusNotFound, ""},
		{"/assets/none.js", http.StatusNotFound, ""},
	} {
		w := get(t, h, test.target)
		if w.Code != test.status {
			t.Errorf("GET %s: status %d, want %d", test.target, w.Code, test.status)
		}
		if test.body != "" && w.Body.String() != test.body {
			t.Errorf("GET %s: body %q, want %q", test.target, w.Body, test.body)
		}
	}
}

func TestPageIsAskedForAnewAndAssetsAreKept(t *testing.T) {
	h := newHandler(built())
	if got := get(t, h, "/").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: Cache-Control %q", got)
	}
	if got := get(t, h, "/assets/app-A1B2.js").Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("asset: Cache-Control %q", got)
	}
}

func TestPageAllowsNothingInline(t *testing.T) {
	header := get(t, newHandler(built()), "/c/x").Header()
	if got := header.Get("Content-Security-Policy"); got == "" || strings.Contains(got, "unsafe") {
		t.Errorf("Content-Security-Policy %q", got)
	}
	if got := header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q: the address of a call must not be passed on", got)
	}
}

func TestPageThatIsNotBuiltSaysHowToBuildIt(t *testing.T) {
	w := get(t, newHandler(fstest.MapFS{".keep": {}}), "/")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}

// A page that was built must be whole: what it names is there.
func TestBuiltPageNamesItsAssets(t *testing.T) {
	if !Built() {
		t.Log("the page is not built here: only its absence is served")
		return
	}
	h := Handler()
	for target, prefix := range map[string]string{"/": "./", "/c/x": "../"} {
		html := get(t, h, target).Body.String()
		found := 0
		for _, quoted := range strings.Split(html, `"`) {
			if name, ok := strings.CutPrefix(quoted, prefix+"assets/"); ok {
				found++
				if w := get(t, h, "/assets/"+name); w.Code != http.StatusOK {
					t.Errorf("%s names %s: status %d", target, quoted, w.Code)
				}
			}
		}
		if found != 3 {
			t.Errorf("%s names %d assets, want script, style and icon", target, found)
		}
	}
}
