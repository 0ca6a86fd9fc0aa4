package server

import (
	"fmt"
	"testing"
	"time"
)

// series returns the value of each series of a counter, or the count of a histogram's.
func series(t *testing.T, m *metrics, name string) map[string]float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, s := range f.GetMetric() {
			key := ""
			for _, l := range s.GetLabel() {
				key += l.GetValue() + " "
			}
			out[key] = s.GetCounter().GetValue() + float64(s.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// Whatever a face reports, the number of series is bounded.
func TestObserveIsBounded(t *testing.T) {
	m := newMetrics("test")
	for i := range 3 * maxChildren {
		m.observeAWS(fmt.Sprintf("Op%d", i), "OK", time.Millisecond)
		m.observeAWS("GetSecretValue", fmt.Sprintf("Code%d", i), time.Millisecond)
	}
	all := series(t, m, "tacet_request_duration_seconds")
	total := 0.0
	for _, n := range all {
		total += n
	}
	if len(all) > maxChildren+1 || total != 6*maxChildren {
		t.Errorf("%d series of %v requests", len(all), total)
	}
	m.observeAWS("GetSecretValue", "", time.Millisecond)
	m.observeAdmin("", "AccessDenied", time.Millisecond)
	m.observeAWS("GetSecretValue", "InvalidSignatureException", time.Millisecond)
	if n := series(t, m, "tacet_auth_failures_total")["InvalidSignatureException "]; n != 1 {
		t.Errorf("%v failures to authenticate counted", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	m := newMetrics("test")
	b.ReportAllocs()
	for b.Loop() {
		m.observeAWS("GetSecretValue", "", 123*time.Microsecond)
	}
}
