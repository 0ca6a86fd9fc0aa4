package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/seal"
	"tacet/internal/seal/keyfile"
)

// ErrInitialised is returned by [Init] for a deployment that has its administrator.
var ErrInitialised = errors.New("the store is initialised already; nothing was changed")

// Credentials is an access key as it is handed over, once.
type Credentials struct {
	Account   string
	Region    string
	User      string
	AccessKey string
	Secret    tacet.Plaintext
	// What Azure's clients use, of a development server.
	ClientID                     string
	ClientSecret, IdentityHeader tacet.Plaintext
}

// Init makes a deployment: the key file, the root key in the store, the first vault
// and the administrator, whose credentials it returns. A key file that exists is used
// and never overwritten: it is that of a node that was initialised before or of an
// attempt that was interrupted. A store that has an administrator is left as it
// is, with [ErrInitialised].
func Init(ctx context.Context, cfg Config) (Credentials, error) {
	if err := cfg.Validate(); err != nil {
		return Credentials{}, err
	}
	return initialise(ctx, cfg.withDefaults(), time.Now)
}

func initialise(ctx context.Context, cfg Config, now func() time.Time) (_ Credentials, err error) {
	kek, err := openOrMakeKey(cfg.Key.File)
	if err != nil {
		return Credentials{}, err
	}
	db, err := openStore(ctx, cfg)
	if err != nil {
		return Credentials{}, err
	}
	if _, err := guard.Init(ctx, guard.Config{DB: db, KEK: kek, Now: now, Logger: room(cfg.Logger, "guard")}); err != nil {
		return Credentials{}, errors.Join(err, db.Close())
	}
	r, err := openDoor(ctx, cfg, db, kek, now)
	if err != nil {
		return Credentials{}, errors.Join(err, db.Close())
	}
	defer func() { err = errors.Join(err, r.close()) }()
	out, err := r.identity.Bootstrap(ctx, identity.BootstrapInput{Account: cfg.Init.Account, Region: cfg.Init.Region,
		VaultName: cfg.Init.Vault, UserName: cfg.Init.Administrator, ClientCredentials: cfg.dev != nil})
	if err != nil {
		return Credentials{}, err
	}
	if !out.Fresh {
		return Credentials{}, ErrInitialised
	}
	return Credentials{Account: cfg.Init.Account, Region: cfg.Init.Region, User: cfg.Init.Administrator,
		AccessKey: out.AccessKey.ID, Secret: out.Secret,
		ClientID: out.ClientID, ClientSecret: out.ClientSecret, IdentityHeader: out.IdentityHeader}, nil
}

// openOrMakeKey opens the key file, or makes one where there is none.
func openOrMakeKey(path string) (seal.KEK, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		kek, err := keyfile.Create(path)
		if err != nil {
			return nil, err
		}
		return kek, nil
	}
	kek, err := keyfile.Open(path)
	if err != nil {
		return nil, err
	}
	return kek, nil
}

// A Variable is one line of an environment.
type Variable struct{ Name, Value string }

// environment is how a client is given the credentials.
func (c Credentials) environment() []Variable {
	return []Variable{
		{"AWS_REGION", c.Region},
		{"AWS_DEFAULT_REGION", c.Region},
		{"AWS_ACCESS_KEY_ID", c.AccessKey},
		{"AWS_SECRET_ACCESS_KEY", string(c.Secret.Reveal())},
	}
}

// azureEnvironment is how a client of the Azure face is given the credentials: authority
// is where it gets tokens, identity where a managed identity does. A data folder from
// before there were client secrets has none.
func (c Credentials) azureEnvironment(authority, identity string) []Variable {
	if c.ClientID == "" {
		return nil
	}
	return []Variable{
		{"AZURE_TENANT_ID", TenantADFS},
		{"AZURE_CLIENT_ID", c.ClientID},
		{"AZURE_CLIENT_SECRET", string(c.ClientSecret.Reveal())},
		{"AZURE_AUTHORITY_HOST", authority},
		{"IDENTITY_ENDPOINT", identity},
		{"IDENTITY_HEADER", string(c.IdentityHeader.Reveal())},
	}
}

// Write hands the credentials over as KEY=VALUE lines. It is meant for a terminal or a
// file that only its owner can read, never for a log.
func (c Credentials) Write(w io.Writer) error {
	_, err := io.WriteString(w, lineByLine(c.environment()))
	return err
}

// WriteEnvironment writes variables as KEY=VALUE lines into a file that only its owner
// can read, all of it at once: who finds the file finds it complete.
func WriteEnvironment(file string, vars []Variable) error {
	return renameio.WriteFile(file, []byte(lineByLine(vars)), 0o600)
}

func lineByLine(vars []Variable) string {
	var b strings.Builder
	for _, v := range vars {
		b.WriteString(v.Name + "=" + v.Value + "\n")
	}
	return b.String()
}

// devCredentialFile is how the administrator's key is kept between starts. A real
// server keeps no such file.
type devCredentialFile struct {
	User            string `json:"user"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	ClientID        string `json:"client_id,omitempty"`
	ClientSecret    string `json:"client_secret,omitempty"`
	IdentityHeader  string `json:"identity_header,omitempty"`
}

// devCredentialsOf returns the administrator's credentials from the file, or makes the
// deployment and the file.
func devCredentialsOf(ctx context.Context, cfg Config, file string) (Credentials, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return makeDevCredentials(ctx, cfg, file)
	}
	if err != nil {
		return Credentials{}, err
	}
	var f devCredentialFile
	if err := json.Unmarshal(text, &f); err != nil {
		// The error of the decoder may repeat the text.
		return Credentials{}, fmt.Errorf("%s cannot be read; remove the data folder to begin anew", file)
	}
	return Credentials{Account: cfg.Init.Account, Region: cfg.Init.Region, User: f.User,
		AccessKey: f.AccessKeyID, Secret: tacet.NewPlaintext([]byte(f.SecretAccessKey)), ClientID: f.ClientID,
		ClientSecret: tacet.NewPlaintext([]byte(f.ClientSecret)), IdentityHeader: tacet.NewPlaintext([]byte(f.IdentityHeader))}, nil
}

func makeDevCredentials(ctx context.Context, cfg Config, file string) (Credentials, error) {
	c, err := initialise(ctx, cfg, cfg.dev.clock.Now)
	if errors.Is(err, ErrInitialised) {
		return c, fmt.Errorf("the store has an administrator, but %s is missing: put it back, or remove the data folder to begin anew", file)
	}
	if err != nil {
		return c, err
	}
	text, err := json.Marshal(devCredentialFile{c.User, c.AccessKey, string(c.Secret.Reveal()),
		c.ClientID, string(c.ClientSecret.Reveal()), string(c.IdentityHeader.Reveal())})
	if err != nil {
		return c, err
	}
	return c, renameio.WriteFile(file, text, 0o600)
}
