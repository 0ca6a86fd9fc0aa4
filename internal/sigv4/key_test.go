package sigv4

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// TestKeyIsNeverPrinted puts a key, alone and within what holds one, through
// every way of printing.
func TestKeyIsNeverPrinted(t *testing.T) {
	key := DeriveKey([]byte(suiteSecret), "20150830", "eu-central-1", "secretsmanager")
	var cache KeyCache
	cache.Get("AK", "1", "20150830", "eu-central-1", "secretsmanager", func() Key { return key })
	var out bytes.Buffer
	holder := struct{ Key Key }{key}
	for _, v := range []any{key, &key, []Key{key}, map[string]Key{"k": key}, holder, &cache, cache.keys} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	for _, v := range []any{key, holder, &key} {
		if b, err := json.Marshal(v); err == nil {
			t.Errorf("JSON of %T: %s", v, b)
		}
		if err := gob.NewEncoder(&out).Encode(v); err == nil {
			t.Errorf("gob of %T", v)
		}
	}
	text := strings.ToLower(out.String())
	decimal := strings.Trim(fmt.Sprint(key[:4]), "[]")
	for _, leak := range []string{hex.EncodeToString(key[:4]), decimal, strings.ReplaceAll(decimal, " ", ", "), fmt.Sprintf("%#x, %#x", key[0], key[1]), string(key[:4])} {
		if strings.Contains(text, leak) {
			t.Errorf("printed as %q", leak)
		}
	}
}

func marked(b byte) Key { return Key{b} }

func TestKeyCache(t *testing.T) {
	var c KeyCache
	calls := 0
	get := func(id, generation, date, region, service string, b byte) {
		t.Helper()
		if got := c.Get(id, generation, date, region, service, func() Key { calls++; return marked(b) }); got != marked(b) {
			t.Errorf("got another key than %d", b)
		}
	}
	get("AK", "1", "20150830", "r", "s", 1)
	get("AK", "1", "20150830", "r", "s", 1)
	if calls != 1 {
		t.Errorf("derived %d times", calls)
	}
	get("AK", "1", "20150831", "r", "s", 2)
	get("AK", "1", "20150830", "q", "s", 3)
	get("AK", "1", "20150830", "r", "t", 4)
	get("AL", "1", "20150830", "r", "s", 5)
	get("AK", "1", "20150830", "rs", "", 6) // no joining of fields
	get("AK", "2", "20150830", "r", "s", 7) // a new secret
	get("AK", "1", "20150830", "r", "s", 8) // and never the one before
	if calls != 8 || len(c.keys) != 6 {
		t.Errorf("derived %d times, %d kept", calls, len(c.keys))
	}
}

func TestKeyCacheIsBounded(t *testing.T) {
	var c KeyCache
	fill := func(date string, n int) {
		for i := range n {
			c.Get(fmt.Sprint("AK", i), "1", date, "r", "s", func() Key { return Key{} })
			if len(c.keys) > maxKeys {
				t.Fatalf("%d keys", len(c.keys))
			}
		}
	}
	count := func(date string) (n int) {
		for k := range c.keys {
			if k.date == date {
				n++
			}
		}
		return n
	}
	fill("20150829", 100)
	fill("20150830", maxKeys-100)
	if count("20150829") != 100 || len(c.keys) != maxKeys {
		t.Fatalf("%d keys", len(c.keys))
	}
	fill("20150831", 1)
	if count("20150829") != 0 || count("20150830") != maxKeys-100 || count("20150831") != 1 {
		t.Error("the oldest day should have gone, and only that")
	}
	// A new generation of a key that is kept needs no room.
	fill("20150831", 100)
	c.Get("AK0", "2", "20150831", "r", "s", func() Key { return Key{} })
	if count("20150830") != maxKeys-100 {
		t.Error("a replacement should forget nothing")
	}
	fill("20150831", 3*maxKeys)
	if count("20150831") < maxKeys*3/4 {
		t.Errorf("%d keys left of one day", len(c.keys))
	}
}

// TestKeyCacheConcurrent has many callers ask for a few keys while their
// generations move on. Nobody may get a key of another generation or scope.
func TestKeyCacheConcurrent(t *testing.T) {
	var c KeyCache
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 3000 {
				id, generation, date := byte(i%5), byte(i/100), byte(i/1000)
				want := Key{id, generation, date}
				if worker == 0 { // one caller who is behind
					generation, want[1] = 0, 0
				}
				got := c.Get(string(id), string(generation), string(date), "r", "s", func() Key { return want })
				if got != want {
					t.Errorf("got %v, want %v", got[:3], want[:3])
					return
				}
				if i%7 == 0 { // and a crowd of strangers
					c.Get(fmt.Sprint(worker, i), "1", "9", "r", "s", func() Key { return Key{} })
				}
			}
		})
	}
	wg.Wait()
	if len(c.keys) > maxKeys {
		t.Errorf("%d keys", len(c.keys))
	}
}
