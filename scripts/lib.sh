# Sourced by the other scripts, from the top of the repository.

say() { printf '\n== %s\n' "$*"; }

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# need_tools stops with a sentence when Go or Node is missing or too old.
need_tools() {
	command -v go >/dev/null || fail "Go is missing: install the version that go.mod names, see https://go.dev/dl/"
	command -v npm >/dev/null || fail "Node is missing: install Node 20 or newer with npm, for instance: apt-get install nodejs npm"
	[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "Node $(node --version) is too old: Node 20 or newer is needed"
}

# need_packages COMMAND=PACKAGE... installs the Debian packages of the commands
# that are missing.
need_packages() {
	missing=""
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing="$missing ${pair#*=}"
	done
	[ -z "$missing" ] && return
	command -v apt-get >/dev/null || fail "Missing here:$missing. Install them with this system's package manager."
	if [ "$(id -u)" = 0 ]; then
		sudo=""
	elif sudo -n true 2>/dev/null; then
		sudo="sudo"
	else
		fail "Missing here:$missing. Install them with: sudo apt-get install$missing"
	fi
	say "installing$missing"
	# shellcheck disable=SC2086 # a list of names
	$sudo apt-get install -y --no-install-recommends $missing >/dev/null ||
		{ $sudo apt-get update >/dev/null && $sudo apt-get install -y --no-install-recommends $missing >/dev/null; } ||
		fail "Could not install$missing. Try: apt-get update && apt-get install$missing"
}

# node_packages lists the folders that hold a package of ours.
node_packages() {
	for file in web/package.json sdk/package.json sdk/*/package.json e2e/package.json; do
		if [ -f "$file" ]; then dirname "$file"; fi
	done
}

# npm_install FOLDER installs what its lock file names, when that is not there yet.
npm_install() {
	if [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]; then return; fi
	(cd "$1" && npm ci --no-audit --no-fund --loglevel=error) || fail "npm ci failed in $1; the registry must be reachable once"
	touch "$1/node_modules/.package-lock.json"
}

# npm_run SCRIPT FOLDER runs a script of a package, if it has one by that name.
npm_run() {
	npm_install "$2"
	(cd "$2" && npm run --silent --if-present "$1")
}
