package takosapi_test

import "testing"

func TestPipingWithoutAProducerIsThatMistakeFirst(t *testing.T) {
	w := newWorld(t, settings{})
	b := w.connect(t)
	workerID := b.must("worker.create", nil)["id"]
	one := b.must("worker.createRouter", map[string]any{"workerId": workerID})["id"]
	other := b.must("worker.createRouter", map[string]any{"workerId": workerID})["id"]
	for name, c := range map[string]struct {
		q    map[string]any
		code string
	}{
		"neither":  {map[string]any{"routerId": one, "toRouterId": other}, "INVALID_PARAMETERS"},
		"both":     {map[string]any{"routerId": one, "toRouterId": other, "producerId": "a", "dataProducerId": "b"}, "INVALID_PARAMETERS"},
		"itself":   {map[string]any{"routerId": one, "toRouterId": one, "producerId": "a"}, "INVALID_PARAMETERS"},
		"the id":   {map[string]any{"routerId": one, "toRouterId": other, "producerId": "a"}, "INVALID_STATE"},
		"no other": {map[string]any{"routerId": one, "toRouterId": "x", "producerId": "a"}, "ROUTER_NOT_FOUND"},
	} {
		if a := b.do("router.pipeToRouter", c.q); a.Error.Code != c.code {
			t.Errorf("%s: %s %s, want %s", name, a.Error.Code, a.Error.Message, c.code)
		}
	}
}
