package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// same reports a difference between two results.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestVaults(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		main := VaultRow{"v1", "main", "000000000001", "eu-1", 5, `{"a":1}`, []byte("mac")}
		other := VaultRow{ID: "v2", Name: "Zulu", Account: "000000000001", Region: "eu-2"}
		write(t, db, func(tx *Tx) error {
			same(t, "vaults at first", must[[]VaultRow](t)(tx.Vaults()), []VaultRow(nil))
			return errors.Join(tx.PutVault(main), tx.PutVault(other))
		})
		for name, v := range map[string]VaultRow{
			"name":  {ID: "v3", Name: "main", Account: "2", Region: "eu-1"},
			"place": {ID: "v3", Name: "third", Account: "000000000001", Region: "eu-2"},
		} {
			if err := db.Write(t.Context(), true, func(tx *Tx) error { return tx.PutVault(v) }); !errors.Is(err, ErrDuplicate) {
				t.Errorf("the same %s twice: %v", name, err)
			}
		}
		write(t, db, func(tx *Tx) error {
			same(t, "vaults, upper case first", must[[]VaultRow](t)(tx.Vaults()), []VaultRow{other, main})
			main.Body, main.Region = "new", "eu-3"
			return errors.Join(tx.PutVault(main), tx.DeleteVault("v2"), tx.DeleteVault("absent"))
		})
		read(t, db, func(tx *Tx) error {
			same(t, "vaults", must[[]VaultRow](t)(tx.Vaults()), []VaultRow{main})
			return nil
		})
	})
}

func TestVersions(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		big := VersionRow{"s1", "b", 20, 1, "{}", bytes.Repeat([]byte{0, 1, 2, 255}, 16<<10)}
		rows := []VersionRow{big, {"s1", "c", 10, 2, "c", []byte("x")}, {"s1", "a", 20, 3, "old", nil}, {"s2", "a", 1, 4, "", []byte{0}},
			{"s1", "a", 20, 3, "a", nil}}
		unsealed := func(rows ...VersionRow) []VersionRow {
			for i := range rows {
				rows[i].Sealed = nil
			}
			return rows
		}
		write(t, db, func(tx *Tx) error { return tx.PutVersions(rows) })
		write(t, db, func(tx *Tx) error {
			same(t, "version of 64 KiB", must[*VersionRow](t)(tx.Version("s1", "b")), &big)
			same(t, "replaced in one call", must[*VersionRow](t)(tx.Version("s1", "a")), &rows[4])
			same(t, "versions", must[[]VersionRow](t)(tx.Versions("s1")), unsealed(rows[1], rows[4], big))
			same(t, "a version, unsealed", *must[*VersionRow](t)(tx.VersionInfo("s1", big.ID)), unsealed(big)[0])
			same(t, "no versions", must[[]VersionRow](t)(tx.Versions("s3")), []VersionRow(nil))
			if _, err := tx.Version("s2", "b"); !errors.Is(err, ErrNotFound) {
				t.Errorf("an absent version: %v", err)
			}
			big.Sealed, big.Body = []byte("less"), "more"
			keys := []VersionKey{{"s1", "a"}, {"s1", "c"}, {"s2", "c"}, {"s3", "a"}}
			return errors.Join(tx.PutVersions([]VersionRow{big}), tx.TouchVersions(keys, 3), tx.TouchVersions(nil, 9),
				tx.DeleteVersions("s2", []string{"a", "absent"}), tx.DeleteVersions("s1", nil))
		})
		rows[1].Accessed = 3
		read(t, db, func(tx *Tx) error {
			same(t, "replaced", must[*VersionRow](t)(tx.Version("s1", "b")), &big)
			same(t, "touched", must[[]VersionRow](t)(tx.Versions("s1")), unsealed(rows[1], rows[4], big))
			same(t, "deleted", must[[]VersionRow](t)(tx.Versions("s2")), []VersionRow(nil))
			return nil
		})
	})
}

func TestObjects(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		rows := []ObjectRow{{"grant", "b", "p", "B", []byte{1}}, {"grant", "a", "p", "A", nil}, {"principal", "a", "", "P", []byte{2}}}
		write(t, db, func(tx *Tx) error { return tx.PutObjects(append(rows, rows[1])) })
		write(t, db, func(tx *Tx) error {
			same(t, "all", must[[]ObjectRow](t)(tx.Objects("")), []ObjectRow{rows[1], rows[0], rows[2]})
			same(t, "grants", must[[]ObjectRow](t)(tx.Objects("grant")), []ObjectRow{rows[1], rows[0]})
			same(t, "one", must[*ObjectRow](t)(tx.Object("principal", "a")), &rows[2])
			if _, err := tx.Object("principal", "b"); !errors.Is(err, ErrNotFound) {
				t.Errorf("an absent object: %v", err)
			}
			rows[0].Body, rows[0].Parent, rows[0].MAC = "new", "q", nil
			return errors.Join(tx.PutObjects(rows[:1]), tx.DeleteObject("grant", "a"), tx.DeleteObject("grant", "absent"))
		})
		read(t, db, func(tx *Tx) error {
			same(t, "left", must[[]ObjectRow](t)(tx.Objects("")), []ObjectRow{rows[0], rows[2]})
			return nil
		})
	})
}

func TestKeys(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		rows := []KeyRow{{"k2", "root", "", "file:1", []byte("w"), 1, 0}, {"k1", "data", "v1", "k2", []byte("x"), 2, 7}, {"k0", "data", "v2", "k2", nil, 2, 0}}
		write(t, db, func(tx *Tx) error { return tx.PutKeys(rows) })
		write(t, db, func(tx *Tx) error {
			same(t, "keys", must[[]KeyRow](t)(tx.Keys()), []KeyRow{rows[0], rows[2], rows[1]})
			for _, want := range [][3]int64{{100, 7, 107}, {1, 107, 108}, {0, 108, 108}, {1 << 31, 108, 108 + 1<<31}} {
				if from, to, err := tx.ReserveSeals("k1", want[0]); err != nil || from != want[1] || to != want[2] {
					t.Errorf("%d seals: %d to %d, %v", want[0], from, to, err)
				}
			}
			if _, _, err := tx.ReserveSeals("absent", 1); !errors.Is(err, ErrNotFound) {
				t.Errorf("seals of an absent key: %v", err)
			}
			rows[1].KEK, rows[1].Seals = "other", 3
			return tx.PutKeys([]KeyRow{rows[1], rows[1]})
		})
		rows[1].Seals = 108 + 1<<31
		write(t, db, func(tx *Tx) error {
			same(t, "a count of seals does not go back", must[[]KeyRow](t)(tx.Keys()), []KeyRow{rows[0], rows[2], rows[1]})
			return errors.Join(tx.DeleteKeys("v1"), tx.DeleteKeys("absent"), tx.DeleteKeys(""))
		})
		read(t, db, func(tx *Tx) error {
			same(t, "left", must[[]KeyRow](t)(tx.Keys()), []KeyRow{rows[0], rows[2]})
			return nil
		})
		if err := db.Write(t.Context(), true, func(tx *Tx) error { _, _, err := tx.ReserveSeals("k2", -1); return err }); err == nil {
			t.Error("seals were given back")
		}
	})
}

func TestRecords(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		var all []RecordRow
		// Every way a group is cut into statements, and one of several of the longest.
		for _, size := range []int{0, 1, 2, 3, 127, 255, 256, 257, 600} {
			write(t, db, func(tx *Tx) error {
				var group []RecordRow
				for range size {
					group = append(group, RecordRow{tx.Head.Records, int64(size), fmt.Appendf(nil, "record %d", tx.Head.Records)})
					tx.Head.Records++
				}
				all = append(all, group...)
				return tx.InsertRecords(group)
			})
		}
		read(t, db, func(tx *Tx) error {
			same(t, "all", must[[]RecordRow](t)(tx.Records(0, 10000)), all)
			same(t, "a page", must[[]RecordRow](t)(tx.Records(1000, 10)), all[1000:1010])
			same(t, "beyond", must[[]RecordRow](t)(tx.Records(int64(len(all)), 10)), []RecordRow(nil))
			same(t, "the last", must[[]RecordRow](t)(tx.RecordsDesc(math.MaxInt64, 2)), []RecordRow{all[len(all)-1], all[len(all)-2]})
			same(t, "before", must[[]RecordRow](t)(tx.RecordsDesc(1, 10)), all[:1])
			return nil
		})
		// The last of a list of 300 is there: none of it stays.
		again := make([]RecordRow, 300)
		for i := range again {
			again[i].Seq = int64(len(all) + i)
		}
		again[299].Seq = 0
		if err := db.Write(t.Context(), true, func(tx *Tx) error { return tx.InsertRecords(again) }); !errors.Is(err, ErrDuplicate) {
			t.Errorf("a number in use: %v", err)
		}
		read(t, db, func(tx *Tx) error {
			same(t, "after a failure", len(must[[]RecordRow](t)(tx.Records(0, 10000))), len(all))
			return nil
		})
	})
}

func TestChanges(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		rows := []ChangeRow{{1, "secret", "v", "s1"}, {2, "object", "", "o"}, {3, "vault", "v", ""}}
		write(t, db, func(tx *Tx) error {
			same(t, "oldest of none", must[int64](t)(tx.OldestChange()), int64(0))
			return tx.InsertChanges(rows)
		})
		write(t, db, func(tx *Tx) error {
			same(t, "all", must[[]ChangeRow](t)(tx.Changes(0, 10)), rows)
			same(t, "a page", must[[]ChangeRow](t)(tx.Changes(1, 1)), rows[1:2])
			same(t, "none", must[[]ChangeRow](t)(tx.Changes(3, 10)), []ChangeRow(nil))
			same(t, "oldest", must[int64](t)(tx.OldestChange()), int64(1))
			return tx.PruneChanges(3)
		})
		read(t, db, func(tx *Tx) error {
			same(t, "left", must[[]ChangeRow](t)(tx.Changes(0, 10)), rows[2:])
			same(t, "oldest", must[int64](t)(tx.OldestChange()), int64(3))
			return nil
		})
		if err := db.Write(t.Context(), true, func(tx *Tx) error { return tx.InsertChanges(rows[2:]) }); !errors.Is(err, ErrDuplicate) {
			t.Errorf("a number in use: %v", err)
		}
	})
}

func TestTiles(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		rows := []TileRow{{0, 0, 256, bytes.Repeat([]byte{7}, 8192)}, {0, 1, 3, []byte("abc")}, {1, 0, 1, []byte("d")}, {-1, 0, 1, []byte("e")}}
		write(t, db, func(tx *Tx) error { return tx.PutTiles(append([]TileRow{{0, 1, 2, []byte("ab")}}, rows...)) })
		write(t, db, func(tx *Tx) error {
			same(t, "one", must[*TileRow](t)(tx.Tile(0, 1)), &rows[1])
			if _, err := tx.Tile(1, 1); !errors.Is(err, ErrNotFound) {
				t.Errorf("an absent tile: %v", err)
			}
			keys := []TileKey{{1, 0}, {5, 5}, {0, 0}, {-1, 0}}
			same(t, "some", must[[]TileRow](t)(tx.Tiles(keys)), []TileRow{rows[2], rows[0], rows[3]})
			rows[1].Width, rows[1].Data = 4, []byte("abcd")
			return tx.PutTiles(rows[1:2])
		})
		read(t, db, func(tx *Tx) error {
			same(t, "wider", must[*TileRow](t)(tx.Tile(0, 1)), &rows[1])
			return nil
		})
	})
}

func TestCheckpoints(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		const hour = int64(3600e6)
		db := openDB(t, Config{URL: url})
		var all []CheckpointRow
		write(t, db, func(tx *Tx) error {
			if _, err := tx.LatestCheckpoint(); !errors.Is(err, ErrNotFound) {
				t.Errorf("the latest of none: %v", err)
			}
			for i := range int64(12) { // every 20 minutes
				c := CheckpointRow{i * 100, i * hour / 3, fmt.Sprintf("note\n%d", i)}
				all = append([]CheckpointRow{c}, all...)
				if err := tx.PutCheckpoint(c); err != nil {
					return err
				}
			}
			all[0].Note = "signed again"
			return tx.PutCheckpoint(all[0])
		})
		write(t, db, func(tx *Tx) error {
			same(t, "latest", must[*CheckpointRow](t)(tx.LatestCheckpoint()), &all[0])
			same(t, "page", must[[]CheckpointRow](t)(tx.Checkpoints(3)), all[:3])
			same(t, "all", must[[]CheckpointRow](t)(tx.Checkpoints(100)), all)
			return tx.PruneCheckpoints(2*hour + 1) // the first of the third hour too, and it is the last there before
		})
		read(t, db, func(tx *Tx) error {
			// Sizes 0 to 200 and 300 to 500 are the first two hours; 600 is alone before the limit in the third.
			want := append(append([]CheckpointRow(nil), all[:6]...), all[6], all[9])
			same(t, "pruned", must[[]CheckpointRow](t)(tx.Checkpoints(100)), want)
			return nil
		})
	})
}

func TestSettings(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		write(t, db, func(tx *Tx) error {
			if _, ok, err := tx.Setting("a"); ok || err != nil {
				t.Errorf("an absent setting: %v, %v", ok, err)
			}
			return errors.Join(tx.PutSetting("a", "1"), tx.PutSetting("a", "2"), tx.PutSetting("b", ""))
		})
		read(t, db, func(tx *Tx) error {
			for key, want := range map[string]string{"a": "2", "b": ""} {
				if v, ok, err := tx.Setting(key); v != want || !ok || err != nil {
					t.Errorf("%s: %q, %v, %v", key, v, ok, err)
				}
			}
			return nil
		})
	})
}

// Text comes back as it went in, or is refused by both engines.
func TestText(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		for _, text := range []string{"", " ", "'; DROP TABLE secret; --", `"quoted" \ %_ $1 ? :a @b`, "ä ß 日本語 🜛 e\u0301 \u202e\ufeff",
			"\x01\t\r\n\x7f", "\U0010ffff", strings.Repeat("x", 64<<10), strings.Repeat("語", 64<<10/3)} {
			write(t, db, func(tx *Tx) error { return tx.PutSetting("k"+text[:min(len(text), 60)], text) })
			read(t, db, func(tx *Tx) error {
				if v, ok, err := tx.Setting("k" + text[:min(len(text), 60)]); v != text || !ok || err != nil {
					t.Errorf("%.40q: %.40q, %v, %v", text, v, ok, err)
				}
				return nil
			})
		}
		for _, text := range []string{"\x00", "a\x00b", "\xff", "a\xc3", "\xed\xa0\x80"} {
			err := db.Write(t.Context(), true, func(tx *Tx) error { return tx.PutSetting("bad", text) })
			if !errors.Is(err, ErrText) {
				t.Errorf("put %q: %v", text, err)
			}
			err = db.Write(t.Context(), true, func(tx *Tx) error { return tx.PutSecrets([]SecretRow{{ID: "a"}, {ID: "b", Body: text}}) })
			if !errors.Is(err, ErrText) {
				t.Errorf("put a list with %q: %v", text, err)
			}
			err = db.Read(t.Context(), func(tx *Tx) error { _, err := tx.Secret("v", text); return err })
			if !errors.Is(err, ErrText) {
				t.Errorf("ask for %q: %v", text, err)
			}
		}
	})
}
