package recent

import "testing"

// TestMap holds the two promises: what is used stays, and memory is bounded.
func TestMap(t *testing.T) {
	m := Map[int, int]{Max: 10}
	m.Put(0, 100)
	for i := 1; i < 1000; i++ {
		m.Put(i, i)
		if v, ok := m.Get(0); !ok || v != 100 {
			t.Fatalf("what is asked for again and again was forgotten after %d entries", i)
		}
		if n := len(m.young) + len(m.old); n > 2*m.Max {
			t.Fatalf("%d entries are remembered, of at most %d", n, 2*m.Max)
		}
	}
	if _, ok := m.Get(1); ok {
		t.Error("what nobody asks for is remembered for ever")
	}
	m.Put(0, 101)
	if v, _ := m.Get(0); v != 101 {
		t.Errorf("a new value does not replace the old one: %d", v)
	}
}
