package ice

import "testing"

func BenchmarkReceiveCheck(b *testing.B) {
	a := NewAgent(Options{})
	from := tuple("198.51.100.7:5000")
	msg := request(b, a.Parameters(), useCandidate(), number(0xC057, 10))
	reply := make([]byte, 0, 256)
	now := epoch
	b.ReportAllocs()
	for b.Loop() {
		now++
		if r := a.Receive(now, from, msg, reply); r.Drop != DropNone {
			b.Fatal(r.Drop)
		}
	}
}

func BenchmarkReceiveForged(b *testing.B) {
	a := NewAgent(Options{})
	msg := request(b, Parameters{UsernameFragment: a.Parameters().UsernameFragment, Password: "guess"})
	reply := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		if r := a.Receive(epoch, tuple("198.51.100.7:5000"), msg, reply); r.Drop != DropIntegrity {
			b.Fatal(r.Drop)
		}
	}
}

func BenchmarkLocalUfrag(b *testing.B) {
	msg := request(b, NewAgent(Options{}).Parameters())
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := LocalUfrag(msg); !ok {
			b.Fatal("not found")
		}
	}
}
