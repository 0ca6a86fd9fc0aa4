// Package recent remembers what was worked out lately, in bounded memory.
package recent

import "sync"

// A Map holds what was put in or asked for lately, in two generations: when the young one
// is full it becomes the old one, and what is asked for meanwhile moves over and stays. So
// it never walks its entries, and holds at most twice Max. The zero value with a Max is
// ready. It is safe for concurrent use and must not be copied.
type Map[K comparable, V any] struct {
	Max        int // entries of a generation
	mu         sync.Mutex
	young, old map[K]V
}

// Get returns what is remembered under k.
func (m *Map[K, V]) Get(k K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.young[k]
	if !ok {
		if v, ok = m.old[k]; ok {
			m.add(k, v)
		}
	}
	return v, ok
}

// GetOrPut returns what is remembered under k, or else remembers what make returns. It
// calls make with the Map locked, so that all who come at once get the same.
func (m *Map[K, V]) GetOrPut(k K, make func() V) V {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.young[k]
	if !ok {
		if v, ok = m.old[k]; !ok {
			v = make()
		}
		m.add(k, v)
	}
	return v
}

// Put remembers v under k.
func (m *Map[K, V]) Put(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(k, v)
}

// Clear forgets everything.
func (m *Map[K, V]) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.young, m.old = nil, nil
}

func (m *Map[K, V]) add(k K, v V) {
	if m.young == nil || len(m.young) >= m.Max {
		m.old, m.young = m.young, make(map[K]V)
	}
	m.young[k] = v
}
