package seal

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	ring, keys := fixedRing(t)
	for _, size := range []int{0, 1, 100, MaxTokenPlaintext} {
		plain := strings.Repeat("p", size)
		token := ring.SealToken("page", []byte(plain))
		if len(token) > maxToken || !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(token) {
			t.Errorf("size %d: the token has %d characters: %.40s", size, len(token), token)
		}
		got, err := openRing(t, keys).OpenToken("page", token)
		if err != nil || got == nil || string(got) != plain {
			t.Errorf("size %d: another plaintext, or error %v", size, err)
		}
		if ring.SealToken("page", []byte(plain)) == token {
			t.Errorf("size %d: the same token twice", size)
		}
	}
	long := ring.SealToken("page", make([]byte, MaxTokenPlaintext+1))
	if _, err := ring.OpenToken("page", long); !errors.Is(err, ErrOpen) {
		t.Errorf("a token that is too long: error %v, want ErrOpen", err)
	}
}

func TestOpenTokenRefuses(t *testing.T) {
	ring, _ := fixedRing(t)
	token := ring.SealToken("page", []byte("position"))
	check := func(what, purpose, token string) {
		t.Helper()
		if got, err := ring.OpenToken(purpose, token); !errors.Is(err, ErrOpen) || got != nil {
			t.Errorf("%s: %d bytes, error %v; want ErrOpen", what, len(got), err)
		}
	}
	for _, purpose := range []string{"", "pag", "pages", "Page", "page\x00", "\x04page"} {
		check(fmt.Sprintf("purpose %q", purpose), purpose, token)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token {
		for _, c := range alphabet + "\n=" {
			if changed := token[:i] + string(c) + token[i+1:]; changed != token {
				check(fmt.Sprintf("character %d is %q", i, c), "page", changed)
			}
		}
		check(fmt.Sprintf("cut to %d", i), "page", token[:i])
	}
	check("a line break", "page", token[:4]+"\n"+token[4:])
	check("a line break at the end", "page", token+"\r\n")
	check("padding", "page", token+"=")
	check("one more", "page", token+"A")
	check("twice", "page", token+token)
	huge := strings.Repeat("A", 1<<20)
	check("huge", "page", huge)
	if n := testing.AllocsPerRun(10, func() { _, _ = ring.OpenToken("page", huge) }); n != 0 {
		t.Errorf("a huge token is decoded: %v allocations", n)
	}
	other, _, err := NewRing(t.Context(), newMemoryKEK(t, "kek"), t0)
	if err != nil {
		t.Fatal(err)
	}
	check("of another store", "page", other.SealToken("page", []byte("position")))
	// A sealed value, or a MAC, is not a token.
	check("a value", "page", tokenEncoding.EncodeToString(mustSeal(t, ring, place, strings.Repeat("x", 40))))
	check("a MAC", "page", tokenEncoding.EncodeToString(ring.MAC("page", nil)))
}
