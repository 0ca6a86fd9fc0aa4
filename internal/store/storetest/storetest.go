// Package storetest gives a test a PostgreSQL database of its own.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Variable is the environment variable with the URL of a PostgreSQL that tests may
// make databases in. `make test` starts one and sets it.
const Variable = "TACET_TEST_POSTGRES"

// Postgres makes a database and returns its URL; it is dropped when the test ends.
// Without a PostgreSQL the test fails: it is left out only when [Variable] is "skip".
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv(Variable)
	switch base {
	case "":
		t.Fatalf("%s is not set: run `make test`, which starts a PostgreSQL, or set it to skip", Variable)
	case "skip":
		t.Skipf("LEFT OUT: %s=skip", Variable)
	}
	name := "tacet_" + strings.ToLower(rand.Text())
	execute(t, base, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, base, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s is not a URL", Variable)
	}
	u.Path = "/" + name
	return u.String()
}

func execute(t testing.TB, base, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// Not the test's own context: that is over when it cleans up.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Error(err)
	}
}
