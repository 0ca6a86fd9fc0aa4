package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tacet/internal/audit"
	"tacet/internal/guard"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
)

// Statuses of a [Finding].
const (
	StatusOK   = "ok"
	StatusWarn = "warn"
	StatusFail = "FAIL"
)

// A Finding is what one check of [Diagnose] found.
type Finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Next   string `json:"next,omitempty"` // what to do
}

// Limits of what the doctor calls well.
const (
	diskWarn, diskFail = 2 << 30, 200 << 20 // bytes free
	certWarn           = 21 * 24 * time.Hour
	clockWarn          = 5 * time.Second // the newest record ahead of the clock
	lagWarn            = time.Minute     // the oldest unsigned record
	diagnoseTimeout    = 20 * time.Second
)

// doctor gathers findings.
type doctor struct {
	cfg      Config
	findings []Finding
}

func (d *doctor) say(check, status, found, next string) {
	d.findings = append(d.findings, Finding{check, status, found, next})
}

func (d *doctor) ok(check, found string)         { d.say(check, StatusOK, found, "") }
func (d *doctor) warn(check, found, next string) { d.say(check, StatusWarn, found, next) }
func (d *doctor) fail(check, found, next string) { d.say(check, StatusFail, found, next) }

// Diagnose looks at the deployment that a configuration file describes, whether its
// server runs or not. It changes nothing in it; only a store of an older version is
// brought up to date, as a start would.
func Diagnose(ctx context.Context, path string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, diagnoseTimeout)
	defer cancel()
	d := &doctor{}
	cfg, err := LoadConfig(path)
	if err != nil {
		d.fail("config", err.Error(), ConfigAdvice(err))
		return d.findings
	}
	d.cfg = cfg.withDefaults()
	d.ok("config", path+" is valid")
	kek := d.key()
	d.certificate()
	url, err := d.cfg.storeURL()
	if err != nil {
		d.fail("store", err.Error(), "put the URL where the configuration refers to")
		return d.findings
	}
	d.disk(url)
	d.store(ctx, url, kek)
	return d.findings
}

func (d *doctor) key() *keyfile.KEK {
	file := d.cfg.Key.File
	kek, err := keyfile.Open(file)
	if err != nil {
		next := "put the right file back; there is no other way to the secrets"
		if errors.Is(err, fs.ErrNotExist) {
			next = "a new deployment gets one from tacet init"
		} else if info, serr := os.Stat(file); serr == nil && info.Mode().Perm()&0o077 != 0 {
			next = "chmod 600 " + file + ", and think of who may have read it"
		}
		d.fail("key", err.Error(), next)
		return nil
	}
	folder := filepath.Dir(file)
	if info, err := os.Stat(folder); err == nil && info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
		d.warn("key", folder+" can be written by others, who could put another key file there", "chmod go-w "+folder)
		return kek
	}
	d.ok("key", file+" is readable by its owner only")
	return kek
}

func (d *doctor) certificate() {
	if d.cfg.TLS == (TLSConfig{}) {
		d.warn("tls", "no certificate: plain HTTP on "+d.cfg.Listen.Address, "name tls.cert_file and tls.key_file, unless a proxy ends TLS")
		return
	}
	c := &certificates{certFile: d.cfg.TLS.CertFile, keyFile: d.cfg.TLS.KeyFile}
	if err := c.reload(); err != nil {
		d.fail("tls", err.Error(), "mend the files, then reload the server with SIGHUP")
		return
	}
	leaf := c.current.Load().Leaf
	until := leaf.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	switch left := time.Until(leaf.NotAfter); {
	case left < 0:
		d.fail("tls", "the certificate expired on "+until, "renew it, then reload the server with SIGHUP")
	case left < certWarn:
		d.warn("tls", "the certificate expires on "+until, "renew it, then reload the server with SIGHUP")
	case time.Now().Before(leaf.NotBefore):
		d.fail("tls", "the certificate is not valid before "+leaf.NotBefore.UTC().Format("2006-01-02 15:04 MST"), "check the clock of this machine")
	default:
		d.ok("tls", "the certificate is valid until "+until)
	}
}

// disk looks at the room for the embedded store.
func (d *doctor) disk(url string) {
	file, embedded := strings.CutPrefix(url, "sqlite:")
	if !embedded {
		return
	}
	folder := filepath.Dir(file)
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		d.fail("disk", folder+": "+err.Error(), "make the folder, or check store.url")
		return
	}
	free := uint64(s.Bavail) * uint64(s.Bsize) //nolint:unconvert // the types differ between systems
	found := fmt.Sprintf("%.1f GiB free for the store", float64(free)/(1<<30))
	switch {
	case free < diskFail:
		d.fail("disk", found, "make room: a store that cannot write records answers nothing")
	case free < diskWarn:
		d.warn("disk", found, "make room soon")
	default:
		d.ok("disk", found)
	}
}

// store looks into the store. An embedded one that a server has open is looked at
// through that server.
func (d *doctor) store(ctx context.Context, url string, kek *keyfile.KEK) {
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			d.fail("store", file+" does not exist", "run: tacet init --config FILE")
			return
		}
	}
	db, err := openStore(ctx, d.cfg)
	switch Cause(err) {
	case CauseLocked:
		d.ok("store", "in use by a server")
		d.running(ctx)
		return
	case CauseSchema:
		d.fail("store", err.Error(), "use the version of tacet that last opened the store, or a newer one")
		return
	}
	if err != nil {
		d.fail("store", err.Error(), "check store.url and that the database runs")
		return
	}
	d.inside(ctx, db, kek)
	if err := db.Close(); err != nil {
		d.fail("store", err.Error(), "check the disk")
	}
}

// inside looks at an open store: its keys, its newest time, its checkpoints.
func (d *doctor) inside(ctx context.Context, db *store.DB, kek *keyfile.KEK) {
	d.ok("store", "reachable, and its schema is this version's")
	if kek == nil {
		return
	}
	r, err := openDoor(ctx, d.cfg, db, kek, time.Now)
	switch Cause(err) {
	case CauseNotInitialised:
		d.fail("store", "the store is empty", "run: tacet init --config FILE")
		return
	case CauseWrongKey:
		d.fail("key", "the store was made with another key file", "put that key file back")
		return
	}
	if err != nil {
		d.fail("store", err.Error(), "read the log of the server")
		return
	}
	d.ok("key", "the key file opens the store")
	d.records(ctx, db, r.guard)
	r.guard.Close()
}

// records looks at the clock and at the checkpoints.
func (d *doctor) records(ctx context.Context, db *store.DB, g *guard.Guard) {
	var head store.Head
	var latest *audit.Checkpoint
	var oldest time.Time // of the records that are not signed
	err := db.Read(ctx, func(tx *store.Tx) (err error) {
		head = tx.Head
		if latest, err = latestCheckpoint(tx); err != nil {
			return err
		}
		signed := int64(0)
		if latest != nil {
			signed = latest.Size
		}
		rows, err := tx.Records(signed, 1)
		if len(rows) > 0 {
			oldest = time.UnixMicro(rows[0].Time)
		}
		return err
	})
	if err != nil {
		d.fail("store", err.Error(), "check that the database runs")
		return
	}
	if ahead := time.Until(time.UnixMicro(head.Time)); ahead > clockWarn {
		d.fail("clock", fmt.Sprintf("the newest record is %s ahead of this machine's clock", ahead.Round(time.Second)), "set the clock, and keep it set with NTP")
	} else {
		d.ok("clock", "not behind the newest record")
	}
	if err := d.signature(g, latest); err != nil {
		d.fail("audit", err.Error(), "run tacet audit verify, and compare with a checkpoint kept elsewhere")
		return
	}
	switch {
	case oldest.IsZero():
		d.ok("audit", fmt.Sprintf("all %d records are signed", head.Records))
	case time.Since(oldest) > lagWarn:
		d.warn("audit", fmt.Sprintf("records since %s are not signed yet", oldest.UTC().Format(time.RFC3339)), "start a server: it signs them within a second, or says why not")
	default:
		d.ok("audit", "the newest records are about to be signed")
	}
}

// signature verifies the latest checkpoint, if there is one.
func (d *doctor) signature(g *guard.Guard, c *audit.Checkpoint) error {
	signer, err := newSigner(g)
	if err != nil || c == nil {
		return err
	}
	_, err = audit.OpenCheckpoint(c.Note, signer.VerifierKey())
	return err
}

// running asks the server that is running how it is.
func (d *doctor) running(ctx context.Context) {
	address := d.cfg.Admin.Listen
	if address == "" {
		d.warn("server", "it has no admin listener to be asked on", "set admin.listen to a loopback address")
		return
	}
	r, err := ask(ctx, http.DefaultClient, "http://"+clientAddress(address))
	if err != nil {
		d.fail("server", err.Error(), "read its log, or end what holds the store open")
		return
	}
	for _, c := range r.Checks {
		if c.Ready {
			d.ok(c.Name, "the server says it is well")
		} else {
			d.fail(c.Name, c.Reason+": "+c.Detail, "read the server's log")
		}
	}
}
