package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	schemaFile = "../../docs/config.schema.json"
	sampleFile = "../../docs/tacet.toml"
)

const minimal = `
[listen]
address = "127.0.0.1:8480"
[store]
url = "sqlite:tacet.db"
[key]
file = "tacet.key"
`

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tacet.toml")
	if err := os.WriteFile(file, []byte(minimal+"[timeouts]\ndrain = \"1m30s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	cfg, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Key.File != filepath.Join(dir, "tacet.key") || cfg.Store.URL != "sqlite:"+filepath.Join(dir, "tacet.db") {
		t.Errorf("paths are not relative to the file: %q, %q", cfg.Key.File, cfg.Store.URL)
	}
	if cfg.Timeouts.Drain != Duration(90*time.Second) {
		t.Errorf("drain is %v", cfg.Timeouts.Drain)
	}
}

func TestConfigIsStrict(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":       {minimal + "[limits]\nconections = 5\n", "unknown key limits.conections"},
		"unknown table":     {minimal + "[limit]\nconnections = 5\n", "unknown key limit"},
		"two unknown keys":  {"a = 1\nb = 2\n", "2 things are wrong"},
		"wrong type":        {minimal + "[limits]\nconnections = \"many\"\n", "line 9, column 15: limits.connections must be a whole number"},
		"no TOML":           {"listen = [", "line 1"},
		"no duration":       {minimal + "[timeouts]\nidle = \"soon\"\n", `timeouts.idle must be a time, as "10s"`},
		"no string":         {minimal + "[tls]\ncert_file = 5\n", "tls.cert_file must be a string"},
		"no boolean":        {minimal + "[admin]\nallow_remote = \"hunter2\"\n", "admin.allow_remote must be true or false"},
		"no table":          {"listen = 5\n", "line 1, column 10: listen must be a table"},
		"too much":          {minimal + "[limits]\nconnections = 99999999999999999999\n", "line 9"},
		"no key of TOML":    {minimal + "[tls]\ncert_file = [5]\n", "tls.cert_file must be a string"},
		"key in capitals":   {"[listen]\nAddress = \"127.0.0.1:0\"\n", "unknown key listen.Address: keys are written in lower case"},
		"table in capitals": {"[Listen]\naddress = \"127.0.0.1:0\"\n", "unknown key Listen:"},
		"dotted":            {"listen.ADDRESS = \"127.0.0.1:0\"\n", "unknown key listen.ADDRESS:"},
		"folded letter":     {"[\"\u017ftore\"]\nurl = \"sqlite:x\"\n", "unknown key \u017ftore"},
		"both":              {"[Listen]\nx = 1\n[TLS]\ny = 2\n", "4 things are wrong"},
		"twice":             {minimal + "[key]\nfile = \"x\"\n", "key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseConfig([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			for _, leak := range []string{"server.", "struct", "int64", "hunter2", "soon"} {
				if err != nil && strings.Contains(err.Error(), leak) {
					t.Errorf("%q is not for the reader: %v", leak, err)
				}
			}
		})
	}
}

func TestValidate(t *testing.T) {
	good := Config{Listen: ListenConfig{Address: "127.0.0.1:0"}, Store: StoreConfig{URL: "sqlite:/x"}, Key: KeyConfig{File: "/k"}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // "" when it is valid
	}{
		"plaintext off loopback":   {func(c *Config) { c.Listen.Address = "0.0.0.0:80" }, "listen.address is not a loopback address"},
		"plaintext on all":         {func(c *Config) { c.Listen.Address = ":80" }, "listen.address is not a loopback address"},
		"plaintext on a name":      {func(c *Config) { c.Listen.Address = "example.org:80" }, "listen.address is not a loopback address"},
		"plaintext allowed":        {func(c *Config) { c.Listen.Address, c.Listen.AllowPlaintext = ":80", true }, ""},
		"no address, once":         {func(c *Config) { c.Listen.Address, c.Admin.Listen = "nonsense", "more" }, "2 things are wrong"},
		"dev, plaintext":           {func(c *Config) { c.dev, c.Listen.PlaintextAddress = &development{}, "0.0.0.0:0" }, "--listen is not a loopback address: a dev"},
		"dev, no address":          {func(c *Config) { c.dev, c.Listen.Address = &development{}, "nonsense" }, "--tls-listen must be an address"},
		"dev, admin":               {func(c *Config) { c.dev, c.Admin.Listen = &development{}, ":0" }, "--admin-listen is not a loopback address: a dev"},
		"dev, store":               {func(c *Config) { c.dev, c.Store.URL = &development{}, "x" }, "--store must begin with"},
		"dev, fsync":               {func(c *Config) { c.dev, c.Audit.Fsync = &development{}, "x" }, "--fsync must be"},
		"second plaintext":         {func(c *Config) { c.Listen.PlaintextAddress = "10.0.0.1:80" }, "listen.plaintext_address is not a loopback"},
		"IPv6 loopback":            {func(c *Config) { c.Listen.Address = "[::1]:80" }, ""},
		"TLS off loopback":         {func(c *Config) { c.Listen.Address, c.TLS = ":443", TLSConfig{"c", "k"} }, ""},
		"half a certificate":       {func(c *Config) { c.TLS.CertFile = "c" }, "tls.key_file is required"},
		"admin off loopback":       {func(c *Config) { c.Admin.Listen = ":9000" }, "admin.listen is not a loopback address"},
		"admin allowed":            {func(c *Config) { c.Admin.Listen, c.Admin.AllowRemote = ":9000", true }, ""},
		"no port":                  {func(c *Config) { c.Listen.Address = "127.0.0.1" }, "listen.address must be an address and a port"},
		"no listener":              {func(c *Config) { c.Listen.Address = "" }, "listen.address is required"},
		"no store":                 {func(c *Config) { c.Store.URL = "" }, "store.url is required"},
		"other store":              {func(c *Config) { c.Store.URL = "hunter2" }, "store.url must begin with"},
		"inline password":          {func(c *Config) { c.Store.URL = "postgres://u:hunter2@h/d" }, "store.url holds a password"},
		"inline password in query": {func(c *Config) { c.Store.URL = "postgres://h/d?password=hunter2" }, "store.url holds a password"},
		"by reference":             {func(c *Config) { c.Store.URL = "file:/run/url" }, ""},
		"PostgreSQL":               {func(c *Config) { c.Store.URL = "postgres://u@h/d" }, ""},
		"fsync":                    {func(c *Config) { c.Audit.Fsync = "never" }, `audit.fsync must be "group" or "interval"`},
		"level":                    {func(c *Config) { c.Log.Level = "chatty" }, "log.level must be"},
		"format":                   {func(c *Config) { c.Log.Format = "xml" }, "log.format must be"},
		"header bytes":             {func(c *Config) { c.Limits.HeaderBytes = 10 }, "limits.header_bytes must be from 4096"},
		"timeout":                  {func(c *Config) { c.Timeouts.Read = -1 }, "timeouts.read must be more"},
		"account":                  {func(c *Config) { c.Init.Account = "1" }, "init.account must be twelve digits"},
		"region":                   {func(c *Config) { c.Init.Region = "mars" }, "init.region must look like"},
		"vault":                    {func(c *Config) { c.Init.Vault = "a--b" }, "init.vault must be"},
		"administrator":            {func(c *Config) { c.Init.Administrator = "a b" }, "init.administrator must be"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			err := cfg.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a password")
			}
		})
	}
	var all Config
	if err := all.Validate(); err == nil || !strings.Contains(err.Error(), "3 things are wrong") {
		t.Errorf("of an empty configuration all keys are named at once, got %v", err)
	}
}

func TestStoreURLReference(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("postgres://u:p@h/d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TACET_TEST_URL", "sqlite:/e")
	t.Setenv("TACET_TEST_EMPTY", "")
	for ref, want := range map[string]string{"file:" + file: "postgres://u:p@h/d", "env:TACET_TEST_URL": "sqlite:/e", "sqlite:/x": "sqlite:/x",
		"env:TACET_TEST_EMPTY": "", "file:/nonexistent": ""} {
		got, err := resolveStoreURL(ref)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
}

// TestSchemaMatchesConfig compares the shipped schema with the struct, both ways: keys,
// types and defaults. A key that one has and the other has not is an error.
func TestSchemaMatchesConfig(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	compareSchema(t, "", reflect.ValueOf(Config{}.withDefaults()), schema)
}

func compareSchema(t *testing.T, path string, v reflect.Value, schema map[string]any) {
	t.Helper()
	if schema["additionalProperties"] != false {
		t.Errorf("%s: additionalProperties must be false", path)
	}
	properties, _ := schema["properties"].(map[string]any)
	seen := map[string]bool{}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		seen[key] = true
		p, ok := properties[key].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", path, key)
			continue
		}
		if d, _ := p["description"].(string); d == "" {
			t.Errorf("%s.%s has no description", path, key)
		}
		compareValue(t, path+"."+key, v.Field(i), p)
	}
	for key := range properties {
		if !seen[key] {
			t.Errorf("%s.%s is in the schema and not in Config", path, key)
		}
	}
}

func compareValue(t *testing.T, path string, v reflect.Value, p map[string]any) {
	t.Helper()
	want, value := "", any(nil)
	switch {
	case v.Type() == reflect.TypeFor[Duration]():
		want, value = "string", time.Duration(v.Int()).String()
	case v.Kind() == reflect.Struct:
		compareSchema(t, path, v, p)
		return
	case v.Kind() == reflect.String:
		want, value = "string", v.String()
	case v.CanInt():
		want, value = "integer", float64(v.Int())
	case v.Kind() == reflect.Bool:
		want, value = "boolean", v.Bool()
	case v.Kind() == reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, v.Index(i).String())
		}
		want, value = "array", list
	}
	if p["type"] != want {
		t.Errorf("%s: the schema says %v, Config says %s", path, p["type"], want)
	}
	if d, ok := p["default"]; ok && !reflect.DeepEqual(d, value) {
		t.Errorf("%s: the schema's default is %v, Config's is %v", path, d, value)
	}
	if !ok(p, "default") && !reflect.DeepEqual(value, any("")) {
		t.Errorf("%s: the schema lacks the default %v", path, value)
	}
}

func ok(m map[string]any, key string) bool {
	_, has := m[key]
	return has
}

// TestSample holds the documented sample to the schema and to the code: as it is, and
// with every commented default in force.
func TestSample(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var full strings.Builder
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") && strings.Contains(rest, " = ") {
			line = rest
		}
		full.WriteString(line)
	}
	for name, text := range map[string]string{"as it is": string(text), "with defaults": full.String()} {
		var doc map[string]any
		if err := toml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(jsonValue(t, doc)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cfg, err := parseConfig([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "with defaults" {
			for i, n := range keysOf(reflect.ValueOf(cfg)) {
				if n == "" {
					t.Errorf("key number %d is not in the sample", i)
				}
			}
			cfg.Listen.PlaintextAddress = ""
			cfg.OIDC.AllowNetworks, cfg.OIDC.CAFile = nil, ""
			cfg.Azure.Domains, cfg.Azure.DefaultHosts, cfg.Azure.Port = nil, nil, 0
			want := Config{Listen: cfg.Listen, TLS: cfg.TLS, Admin: cfg.Admin, Store: StoreConfig{URL: cfg.Store.URL}, Key: cfg.Key}.withDefaults()
			if cfg.Logger = want.Logger; !reflect.DeepEqual(cfg, want) {
				t.Errorf("the commented values are not the defaults:\n%+v\n%+v", cfg, want)
			}
		}
	}
	zeros := "\n[store]\nurl = \"sqlite:x\"\nmax_conns = 0\n[limits]\nconnections = 0\nconnections_per_address = 0\nheader_bytes = 0\ncache_bytes = 0\nsecrets = 0\n"
	checkBoth(t, schema, "[listen]\naddress = \"127.0.0.1:0\"\n[key]\nfile = \"k\""+zeros)
	var doc any = map[string]any{"listen": map[string]any{"adress": ":1"}}
	if schema.Validate(doc) == nil {
		t.Error("the schema accepts an unknown key")
	}
}

// checkBoth holds that the schema and the code both take a configuration.
func checkBoth(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	var doc map[string]any
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(jsonValue(t, doc)); err != nil {
		t.Errorf("the schema: %v", err)
	}
	cfg, err := parseConfig([]byte(text))
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		t.Errorf("the code: %v", err)
	}
}

// keysOf returns, for every key of the configuration, something that is not empty when
// it is set.
func keysOf(v reflect.Value) []string {
	var out []string
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		switch f := v.Field(i); {
		case key == "" || key == "-":
		case f.Kind() == reflect.Struct:
			out = append(out, keysOf(f)...)
		case f.Kind() == reflect.Bool:
			out = append(out, "set or not")
		case f.IsZero():
			out = append(out, "")
		default:
			out = append(out, key)
		}
	}
	return out
}

// jsonValue turns a TOML document into what the validator reads.
func jsonValue(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
