package store

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSecrets(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		full := SecretRow{"s1", "v", "app/db", "AbCdEf", 1, 2, 3, 0, "{}", strings.Repeat("p", 20480), []byte("mac")}
		zero := SecretRow{ID: "s2", Vault: "v", Name: "app/DB"}
		far := SecretRow{ID: "s3", Vault: "w", Name: "app/db", Created: math.MaxInt64, Changed: math.MinInt64, Accessed: -1, PurgeAt: math.MaxInt64}
		write(t, db, func(tx *Tx) error {
			if err := tx.PutSecrets(nil); err != nil {
				return err
			}
			return tx.PutSecrets([]SecretRow{{ID: "s1", Vault: "v", Name: "replaced at once"}, full, zero, far})
		})
		for name, row := range map[string]SecretRow{"new": {ID: "s4", Vault: "v", Name: "app/db"}, "renamed": {ID: "s2", Vault: "v", Name: "app/db"}} {
			err := db.Write(t.Context(), true, func(tx *Tx) error { return tx.PutSecrets([]SecretRow{row}) })
			if !errors.Is(err, ErrDuplicate) {
				t.Errorf("%s with a name in use: %v", name, err)
			}
		}
		write(t, db, func(tx *Tx) error {
			same(t, "by name", must[*SecretRow](t)(tx.Secret("v", "app/db")), &full)
			same(t, "names are told apart by case", must[*SecretRow](t)(tx.Secret("v", "app/DB")), &zero)
			same(t, "by id", must[*SecretRow](t)(tx.SecretByID("s3")), &far)
			same(t, "count", must[int64](t)(tx.CountSecrets("v")), int64(2))
			same(t, "count of none", must[int64](t)(tx.CountSecrets("x")), int64(0))
			for _, name := range []string{"app", "app/db ", "APP/DB", ""} {
				if _, err := tx.Secret("v", name); !errors.Is(err, ErrNotFound) {
					t.Errorf("secret %q: %v", name, err)
				}
			}
			if _, err := tx.SecretByID("absent"); !errors.Is(err, ErrNotFound) {
				t.Errorf("an absent id: %v", err)
			}
			full.Name, full.Body, full.MAC, full.PurgeAt, full.Changed = "app/new", "new", nil, 9, 8
			return errors.Join(tx.PutSecrets([]SecretRow{full}),
				tx.PutVersions([]VersionRow{{Secret: "s2", ID: "a"}, {Secret: "s2", ID: "b"}, {Secret: "s1", ID: "a"}}),
				tx.DeleteSecret("s2"), tx.DeleteSecret("absent"))
		})
		read(t, db, func(tx *Tx) error {
			same(t, "replaced", must[*SecretRow](t)(tx.SecretByID("s1")), &full)
			same(t, "left", must[int64](t)(tx.CountSecrets("v")), int64(1))
			same(t, "versions went too", len(must[[]VersionRow](t)(tx.Versions("s2"))), 0)
			same(t, "others did not", len(must[[]VersionRow](t)(tx.Versions("s1"))), 1)
			return nil
		})
	})
}

func TestSecretsNamingARNs(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		var rows, want []SecretRow
		for i, policy := range []string{"", `{"AWS":"*"}`, `{"AWS":"arn:aws:iam::000000000001:user/a"}`, `{"AWS":"AIDAEXAMPLEEXAMPLE12"}`,
			`{"AWS":"arn:aws:iam:\u003a000000000001:user/a"}`, `{"AWS":"arn:aws:sts::000000000001:assumed-role/r/s"}`} {
			rows = append(rows, SecretRow{ID: fmt.Sprint("s", i), Vault: fmt.Sprint("v", i%2), Name: fmt.Sprint(i), Policy: policy})
		}
		want = append(want, rows[2], rows[4])
		write(t, db, func(tx *Tx) error { return tx.PutSecrets(rows) })
		read(t, db, func(tx *Tx) error {
			same(t, "secrets", must[[]SecretRow](t)(tx.SecretsNamingARNs()), want)
			return nil
		})
	})
}

// A shown name means the secret shown exactly so, or else the oldest in any case; one
// whose time is over is passed over.
func TestSecretShownAs(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		write(t, db, func(tx *Tx) error {
			return tx.PutSecrets([]SecretRow{
				{ID: "1", Vault: "v", Name: "a/b", Created: 5}, {ID: "2", Vault: "v", Name: "a--b", Created: 4}, {ID: "3", Vault: "v", Name: "A/b", Created: 3},
				{ID: "4", Vault: "w", Name: "a/b", Created: 1}, {ID: "5", Vault: "v", Name: "x", Created: 1, PurgeAt: 10}, {ID: "6", Vault: "v", Name: "X", Created: 2},
				{ID: "8", Vault: "v", Name: "Tie", Created: 1}, {ID: "7", Vault: "v", Name: "tiE", Created: 1},
			})
		})
		read(t, db, func(tx *Tx) error {
			for _, tt := range []struct {
				shown string
				now   int64
				want  string
			}{{"a--b", 0, "2"}, {"A--b", 0, "3"}, {"A--B", 0, "3"}, {"x", 9, "5"}, {"x", 10, "6"}, {"TIE", 0, "7"}, {"a/b", 0, ""}, {"a-b", 0, ""}, {"%", 0, ""}} {
				row, err := tx.SecretShownAs("v", tt.shown, tt.now)
				if tt.want == "" && !errors.Is(err, ErrNotFound) || tt.want != "" && (err != nil || row.ID != tt.want) {
					t.Errorf("%q at %d: %+v, %v", tt.shown, tt.now, row, err)
				}
			}
			return nil
		})
	})
}

// manySecrets are 200 secrets of vault v whose keys tie often, and some of w.
func manySecrets() []SecretRow {
	var rows []SecretRow
	prefixes := []string{"a", "A", "a/", "a/b", "ä", "b-", "b_", "日", "\u07ff", "\ud7ff", "\U0010ffff"}
	for i := range 200 {
		row := SecretRow{
			ID:      fmt.Sprintf("%03d", i*37%200),
			Vault:   "v",
			Name:    prefixes[i%len(prefixes)] + fmt.Sprint(i),
			Created: int64(i % 7), Changed: int64(i % 3), Accessed: int64(i / 150),
			Body: "{}", MAC: []byte{byte(i)},
		}
		if i%11 == 5 {
			row.PurgeAt = int64(i)
		}
		rows = append(rows, row, SecretRow{ID: "w" + row.ID, Vault: "w", Name: row.Name, PurgeAt: row.PurgeAt})
	}
	return rows
}

// expected is q without a limit and a page, answered by looking at all rows.
func expected(rows []SecretRow, q SecretQuery) []SecretRow {
	var found []SecretRow
	for _, s := range rows {
		if s.Vault == q.Vault && strings.HasPrefix(s.Name, q.NamePrefix) && (q.IncludeScheduled || q.OnlyScheduled || s.PurgeAt == 0) && (!q.OnlyScheduled || s.PurgeAt != 0) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b SecretRow) int {
		order := cmp.Or(cmp.Compare(orderKey(a, q.OrderBy), orderKey(b, q.OrderBy)), cmp.Compare(a.ID, b.ID))
		if q.OrderBy == "name" {
			order = cmp.Compare(a.Name, b.Name)
		}
		if q.Descending {
			return -order
		}
		return order
	})
	return found
}

func orderKey(s SecretRow, order string) int64 {
	return map[string]int64{"created": s.Created, "changed": s.Changed, "accessed": s.Accessed}[order]
}

func TestSecretPages(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		rows := manySecrets()
		write(t, db, func(tx *Tx) error { return tx.PutSecrets(rows) })
		read(t, db, func(tx *Tx) error {
			for _, order := range []string{"name", "created", "changed", "accessed"} {
				for _, descending := range []bool{false, true} {
					for _, prefix := range []string{"", "a", "a/", "A", "ä", "b", "日", "\u07ff", "\ud7ff", "\U0010ffff", "none"} {
						for _, scheduled := range []string{"", "too", "only"} {
							q := SecretQuery{Vault: "v", OrderBy: order, Descending: descending, NamePrefix: prefix,
								IncludeScheduled: scheduled == "too", OnlyScheduled: scheduled == "only"}
							want := expected(rows, q)
							for _, limit := range []int{7, 1000} {
								q.Limit = limit
								if !slices.EqualFunc(pages(t, tx, q), want, func(a, b SecretRow) bool { return a.ID == b.ID }) {
									t.Errorf("%+v: wrong rows", q)
								}
							}
						}
					}
				}
			}
			return nil
		})
		err := db.Read(t.Context(), func(tx *Tx) error {
			_, err := tx.Secrets(SecretQuery{Vault: "v", OrderBy: "body; DROP TABLE secret", Limit: 1})
			return err
		})
		if err == nil {
			t.Error("an unknown order was taken")
		}
	})
}

// pages asks for all pages of q.
func pages(t *testing.T, tx *Tx, q SecretQuery) []SecretRow {
	t.Helper()
	var all []SecretRow
	for {
		page := must[[]SecretRow](t)(tx.Secrets(q))
		if len(page) > q.Limit {
			t.Fatalf("%+v: a page of %d", q, len(page))
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		last := page[len(page)-1]
		q.AfterName, q.AfterKey, q.AfterID = last.Name, orderKey(last, q.OrderBy), last.ID
	}
}

// Every order is read from its index: nothing is sorted, however many secrets.
func TestSecretPlans(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		write(t, db, func(tx *Tx) error { return tx.PutSecrets(manySecrets()) })
		explain := "EXPLAIN QUERY PLAN "
		if db.Shared() {
			explain = "EXPLAIN "
		}
		for _, order := range []string{"name", "created", "changed", "accessed"} {
			for _, descending := range []bool{false, true} {
				for _, after := range []string{"", "100"} {
					q := SecretQuery{Vault: "v", OrderBy: order, Descending: descending, AfterName: after, AfterID: after, Limit: 100}
					text, args, err := q.text()
					if err != nil {
						t.Fatal(err)
					}
					plan := planOf(t, db, explain+text, args)
					if !strings.Contains(plan, "secret_"+order) || strings.Contains(plan, "B-TREE") || strings.Contains(plan, "Sort") {
						t.Errorf("%+v is not served by its index:\n%s", q, plan)
					}
				}
			}
		}
		plan := planOf(t, db, explain+`SELECT id FROM secret WHERE purge_at <> 0 AND purge_at <= $1
			ORDER BY purge_at, id LIMIT $2`, []any{int64(5), int64(5)})
		if !strings.Contains(plan, "secret_purge") || strings.Contains(plan, "B-TREE") {
			t.Errorf("secrets to purge:\n%s", plan)
		}
		if plan = planOf(t, db, explain+secretsNamingARNs, nil); !strings.Contains(plan, "secret_policy") {
			t.Errorf("secrets with policies:\n%s", plan)
		}
		text, args, err := SecretQuery{Vault: "v", OrderBy: "name", OnlyScheduled: true, Limit: 26}.text()
		if err != nil {
			t.Fatal(err)
		}
		if plan = planOf(t, db, explain+text, args); !strings.Contains(plan, "secret_deleted") || strings.Contains(plan, "B-TREE") {
			t.Errorf("deleted secrets:\n%s", plan)
		}
		plan = planOf(t, db, explain+secretShownAs, []any{"v", "a--b", int64(5), "a--b"})
		if !strings.Contains(plan, "secret_shown") {
			t.Errorf("a secret by its shown name:\n%s", plan)
		}
		touch := statement{`UPDATE version SET accessed = $1 WHERE accessed < $1 AND (secret, id) IN (VALUES [($2, $3)])`, 2}
		plan = planOf(t, db, explain+touch.expand(false), []any{int64(5), "a", "b", "c", "d"})
		if !strings.Contains(plan, "SEARCH version USING INDEX") && !strings.Contains(plan, "Index Scan using version_pkey") {
			t.Errorf("touching versions:\n%s", plan)
		}
	})
}

// planOf returns the text of a plan.
func planOf(t *testing.T, db *DB, text string, args []any) string {
	t.Helper()
	var plan strings.Builder
	err := db.Write(t.Context(), false, func(tx *Tx) error {
		rows, err := tx.conn.sql.QueryContext(t.Context(), text, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var line string
			into := []any{&line}
			if !db.Shared() {
				into = []any{new(int), new(int), new(int), &line}
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			plan.WriteString(line + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func TestPurgeAndTouch(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		var rows []SecretRow
		var ids []string
		var keys []VersionKey
		var versions []VersionRow
		for i := range 1500 {
			id := fmt.Sprintf("%04d", i)
			rows = append(rows, SecretRow{ID: id, Vault: "v", Name: id, Accessed: int64(i % 20), PurgeAt: int64(i % 4 * 100)})
			versions = append(versions, VersionRow{Secret: id, ID: "v", Accessed: int64(i % 20)})
			if i%2 == 0 {
				ids = append(ids, id)
				keys = append(keys, VersionKey{id, "v"})
			}
		}
		write(t, db, func(tx *Tx) error {
			return errors.Join(tx.PutSecrets(rows), tx.PutVersions(versions), tx.TouchSecrets(ids, 10), tx.TouchVersions(keys, 10))
		})
		write(t, db, func(tx *Tx) error {
			for i := range rows {
				if i%2 == 0 {
					rows[i].Accessed = max(rows[i].Accessed, 10)
				}
				if s, err := tx.SecretByID(rows[i].ID); err != nil || s.Accessed != rows[i].Accessed {
					t.Fatalf("secret %d: %+v, %v", i, s, err)
				}
				if v, err := tx.Version(rows[i].ID, "v"); err != nil || v.Accessed != rows[i].Accessed {
					t.Fatalf("version %d: %+v, %v", i, v, err)
				}
			}
			same(t, "nothing yet", must[[]SecretRow](t)(tx.SecretsToPurge(99, 10)), []SecretRow(nil))
			due := must[[]SecretRow](t)(tx.SecretsToPurge(200, 10000))
			if len(due) != 750 || due[0].ID != "0001" || due[0].PurgeAt != 100 || due[749].ID != "1498" || due[749].PurgeAt != 200 {
				t.Errorf("%d are due, from %+v to %+v", len(due), due[0], due[len(due)-1])
			}
			same(t, "a page", must[[]SecretRow](t)(tx.SecretsToPurge(300, 3)), due[:3])
			return tx.DeleteVersions("0000", append(ids, "v")) // a list of more than two statements
		})
	})
}

func TestAfterPrefix(t *testing.T) {
	for prefix, want := range map[string]string{"": "", "a": "b", "a/": "a0", "\x7f": "\u0080", "\ud7ff": "\ue000",
		"\U0010ffff": "", "a\U0010ffff": "b", "\uffff": "\U00010000"} {
		if got := afterPrefix(prefix); got != want {
			t.Errorf("after %q comes %q", prefix, got)
		}
	}
}
