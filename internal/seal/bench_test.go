package seal

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkOpen(b *testing.B) {
	ring, _ := fixedRing(b)
	for _, size := range []int{32, 1024, 65536} {
		sealed := mustSeal(b, ring, place, string(make([]byte, size)))
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := ring.Open(place, sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenParallel(b *testing.B) {
	ring, _ := fixedRing(b)
	sealed := mustSeal(b, ring, place, string(make([]byte, 1024)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := ring.Open(place, sealed); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	ring, _ := fixedRing(b)
	plain := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Seal(place, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckMAC(b *testing.B) {
	ring, _ := fixedRing(b)
	parts := split("secret", "0123456789abcdef", string(make([]byte, 500)))
	mac := ring.MAC("row", parts...)
	b.ReportAllocs()
	for b.Loop() {
		if !ring.CheckMAC(mac, "row", parts...) {
			b.Fatal("not accepted")
		}
	}
}

func BenchmarkMAC(b *testing.B) {
	ring, _ := fixedRing(b)
	parts := split("secret", "0123456789abcdef", string(make([]byte, 500)))
	b.ReportAllocs()
	for b.Loop() {
		ring.MAC("row", parts...)
	}
}

func BenchmarkToken(b *testing.B) {
	ring, _ := fixedRing(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.OpenToken("page", ring.SealToken("page", []byte("position"))); err != nil {
			b.Fatal(err)
		}
	}
}

// A deployment of a thousand vaults starts, and one more vault is made.
func BenchmarkThousandVaults(b *testing.B) {
	ring, keys := fixedRing(b)
	for i := range 1000 {
		k, err := ring.NewDataKey(fmt.Sprint("vault ", i), time.UnixMicro(5000))
		if err != nil {
			b.Fatal(err)
		}
		keys = append(keys, k)
	}
	b.Run("OpenRing", func(b *testing.B) {
		for b.Loop() {
			openRing(b, keys)
		}
	})
	ring = openRing(b, keys)
	b.Run("Add", func(b *testing.B) {
		for b.Loop() {
			mustAdd(b, ring, vaultA, t0)
		}
	})
}
