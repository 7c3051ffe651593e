// Package transcript runs the conversations that the pages of docs/protocols
// show, so that a page cannot say what the server does not do. It is used by
// tests only, and speaks to a real server over real sockets.
//
// A page has fenced blocks of two kinds. A constant is a JSON value with a name:
//
//	```json audio
//	{"codecs": [...]}
//	```
//
// A transcript has a name and, after a semicolon, settings of the server that
// the test which runs it understands:
//
//	```transcript Two people; grace=200ms
//	# a comment
//	open A /takos-api?api_key=<key>         A opens a WebSocket
//	refused A 401 {...}                     … and is refused, with this body
//	A→ {"type":"createRoom", ...}           A sends
//	A← {"type":"response", ...}             A receives, next
//	besides A {...}                         A may also receive this, from here on
//	closed A 4001 replaced                  the server closes A's WebSocket
//	close A 1000                            A closes it
//	drop A                                  A's line is cut
//	POST /takos-api/createRoom api-key: x; accept: y
//	→ {...}                                 body of the request, may be missing
//	← 200 {...}                             the answer
//	* alice's browser does something        whatever the test does for that line
//	```
//
// What is received must be what the line says, field by field, but for
// placeholders, which are strings:
//
//	<any>           any value
//	<string>        any string; likewise <number>, <time> (RFC 3339)
//	<id:name>       any string, the same each time; id may be any word
//	<json:name>     the constant
//	"...":"<any>"   in an object: other fields may be there too
//
// In what is sent <id:name> and <json:name> are replaced, and <bytes:n> by n
// letters, so that a page need not show a long message. A line that does not match,
// does not come or is not expected ends the run with an error that names it; what
// comes at times of its own is named by besides, and passed over where it has no
// line.
package transcript
