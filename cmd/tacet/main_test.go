package main

import (
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the command itself when a script calls "tacet".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tacet": main})
}

// TestScripts runs testdata/script: each file is a session as a user types it.
func TestScripts(t *testing.T) {
	commands := serverCommands()
	commands["waitfile"] = waitFile
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			// Nothing of the machine's own deployment.
			for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
				"AWS_ENDPOINT_URL_STS", "TACET_CA_FILE", "TACET_HTTP_URL", "TACET_HTTPS_URL"} {
				e.Setenv(name, "")
			}
			return nil
		},
		Cmds: commands,
	})
}

// TestEaseCollector says that GOGC has the last word.
func TestEaseCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	t.Setenv("GOGC", "100")
	easeCollector()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("with GOGC: %d", got)
	}
	if err := os.Unsetenv("GOGC"); err != nil { // put back by Setenv
		t.Fatal(err)
	}
	easeCollector()
	if got := debug.SetGCPercent(100); got != 200 {
		t.Errorf("without GOGC: %d", got)
	}
}

// waitFile waits until a file exists: a server started in the background writes one
// once it answers.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfile FILE")
	}
	file := ts.MkAbs(args[0])
	for range 600 {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear", args[0])
}
