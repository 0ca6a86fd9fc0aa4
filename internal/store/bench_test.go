package store

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// benchEngines runs bench on each engine.
func benchEngines(b *testing.B, bench func(b *testing.B, url string)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, "sqlite:"+filepath.Join(b.TempDir(), "tacet.db")) })
	b.Run("postgres", func(b *testing.B) { bench(b, postgresURL(b)) })
}

// cpu returns the CPU time of this process, in the kernel too. On PostgreSQL the
// server's is not in it.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs once b.N times, which handle n things each, and reports the CPU
// time of one thing.
func measure(b *testing.B, n int, thing string, once func()) {
	once() // prepares the statements
	b.ReportAllocs()
	before := cpu(b)
	b.ResetTimer()
	for range b.N {
		once()
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N*n), "cpu-µs/"+thing)
}

func BenchmarkInsertRecords(b *testing.B) {
	benchEngines(b, func(b *testing.B, url string) {
		for _, durable := range []bool{false, true} {
			db := openDB(b, Config{URL: url, Interval: true})
			for _, size := range []int{1, 8, 64, 256} {
				b.Run(fmt.Sprintf("durable=%v/group=%d", durable, size), func(b *testing.B) {
					rows, body := make([]RecordRow, size), make([]byte, 450)
					measure(b, size, "row", func() {
						err := db.Write(b.Context(), durable, func(tx *Tx) error {
							for i := range rows {
								rows[i] = RecordRow{tx.Head.Records, int64(i), body}
								tx.Head.Records++
							}
							return tx.InsertRecords(rows)
						})
						if err != nil {
							b.Fatal(err)
						}
					})
				})
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchSecrets is how many secrets the reading benchmarks have.
const benchSecrets = 100_000

func BenchmarkRead(b *testing.B) {
	benchEngines(b, func(b *testing.B, url string) {
		db := openDB(b, Config{URL: url, Interval: true})
		id := func(i int) string { return fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15) }
		for start := 0; start < benchSecrets; start += 1000 {
			write(b, db, func(tx *Tx) error {
				var secrets []SecretRow
				var versions []VersionRow
				for i := start; i < start+1000; i++ {
					secrets = append(secrets, SecretRow{ID: id(i), Vault: "v", Name: fmt.Sprintf("app/%x/password", uint32(i)*2654435761),
						Created: int64(i), Changed: int64(i), Body: `{"description":"the password of the application's own database"}`, MAC: make([]byte, 32)})
					versions = append(versions, VersionRow{Secret: id(i), ID: id(i), Created: int64(i), Body: `{"stages":["AWSCURRENT"]}`, Sealed: make([]byte, 1024)})
				}
				if err := tx.PutSecrets(secrets); err != nil {
					return err
				}
				return tx.PutVersions(versions)
			})
		}
		each := func(fn func(*Tx) error) func() {
			return func() {
				if err := db.ReadEach(b.Context(), fn); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run("version", func(b *testing.B) {
			measure(b, 1, "read", each(func(tx *Tx) error {
				i := rand.IntN(benchSecrets)
				_, err := tx.Version(id(i), id(i))
				return err
			}))
		})
		b.Run("page of 100 by name", func(b *testing.B) {
			measure(b, 1, "page", each(func(tx *Tx) error {
				after := fmt.Sprintf("app/%x", rand.Uint32())
				_, err := tx.Secrets(SecretQuery{Vault: "v", OrderBy: "name", AfterName: after, Limit: 100})
				return err
			}))
		})
		b.Run("page of 100 by creation", func(b *testing.B) {
			measure(b, 1, "page", each(func(tx *Tx) error {
				after := int64(rand.IntN(benchSecrets))
				_, err := tx.Secrets(SecretQuery{Vault: "v", OrderBy: "created", Descending: true, AfterKey: after, AfterID: "x", Limit: 100})
				return err
			}))
		})
	})
}
