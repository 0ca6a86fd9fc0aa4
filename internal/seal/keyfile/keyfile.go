// Package keyfile is a KEK in a file: 32 random bytes as one line of text, readable
// by their owner only.
//
// The line is
//
//	TACET-KEY-1 NAME KEY
//
// where KEY is the key in base64url (RFC 4648, section 5, without padding) and NAME is
// derived from it. The name is what the store remembers, and lets a key that was
// copied by hand be checked.
package keyfile

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"tacet/internal/seal"
)

const (
	magic   = "TACET-KEY-1"
	keySize = 32
	// maxFile bounds what is read of a file: the line has 92 characters.
	maxFile = 1024
	// formatWrapped is the first byte of what Wrap makes.
	formatWrapped = 1
)

// encoding is strict, so that a key can be written in one way only.
var encoding = base64.RawURLEncoding.Strict()

// A KEK is the key of a file. It implements [seal.KEK], and needs no context: it
// makes no calls.
type KEK struct {
	name string
	aead cipher.AEAD
}

// Create makes a new key and writes it to a file at path, with permissions 0600
// whatever the umask is. It returns when the file and its entry in the directory are
// on disk. It fails when there is anything at path already.
func Create(path string) (*KEK, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	defer clear(key)
	kek, err := newKEK(key)
	if err != nil {
		return nil, err
	}
	line := encode(kek.name, key)
	defer clear(line)
	// O_EXCL does not follow a symbolic link either, not even one that points nowhere.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if err := write(f, line); err != nil {
		// Half a key file helps nobody and would be in the way of the next attempt.
		return nil, fmt.Errorf("key file: %w", errors.Join(err, os.Remove(path)))
	}
	return kek, nil
}

// write writes the line to the new file f, closes it and makes it durable.
func write(f *os.File, line []byte) error {
	err := f.Chmod(0o600) // a umask can have taken the owner's permissions
	if err == nil {
		_, err = f.Write(line)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open reads the key file at path. It refuses a symbolic link, anything that is not
// a regular file, a file that others than its owner have any permission on, and a file
// that is not exactly a key with its name. Its errors say what to do, and nothing of
// the file's content.
func Open(path string) (*KEK, error) {
	// O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("key file %s is a symbolic link, which somebody else could point elsewhere; give the path of the file itself: readlink -f %s", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	b, err := read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	defer clear(b)
	kek, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return kek, nil
}

// read checks what f is, not what its path was a moment ago, and reads it.
func read(f *os.File) ([]byte, error) {
	path := f.Name()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, fmt.Errorf("key file %s has permissions %04o: others than its owner could use it; type: chmod 600 %s", path, perm, path)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("key file %s: %w", path, errMalformed)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return b, nil
}

// errMalformed does not say where the mistake is: the file may hold somebody's secret.
var errMalformed = errors.New(`not a Tacet key: one line, "` + magic + `", the key's name and the key`)

// parse reads the line of a key file. White space around its words is not looked at.
func parse(b []byte) (*KEK, error) {
	words := bytes.Fields(b)
	if len(words) != 3 || string(words[0]) != magic || len(words[2]) != encoding.EncodedLen(keySize) {
		return nil, errMalformed
	}
	key := make([]byte, keySize)
	defer clear(key)
	if _, err := encoding.Decode(key, words[2]); err != nil {
		return nil, errMalformed
	}
	kek, err := newKEK(key)
	if err != nil {
		return nil, err
	}
	if kek.name != string(words[1]) {
		return nil, errors.New("the key and its name do not match: one of them was changed")
	}
	return kek, nil
}

// encode is the inverse of parse.
func encode(name string, key []byte) []byte {
	line := make([]byte, 0, maxFile) // room enough: no copy of the key is left behind
	line = append(line, magic+" "+name+" "...)
	line = encoding.AppendEncode(line, key)
	return append(line, '\n')
}

// newKEK derives from the key of a file the name and the key that wraps (HKDF-SHA256,
// RFC 5869): what the name shows says nothing of what wraps.
func newKEK(key []byte) (*KEK, error) {
	id, err := hkdf.Key(sha256.New, key, nil, "tacet key file 1 name", 10)
	if err != nil {
		return nil, err
	}
	secret, err := hkdf.Key(sha256.New, key, nil, "tacet key file 1 wrap", keySize)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &KEK{name: "file-" + hex.EncodeToString(id), aead: aead}, nil
}

// Name returns "file-" and 20 hexadecimal digits, derived from the key.
func (k *KEK) Name() string { return k.name }

// Wrap implements [seal.KEK]: AES-256-GCM with a random nonce.
func (k *KEK) Wrap(_ context.Context, plaintext, aad []byte) ([]byte, error) {
	return k.aead.Seal([]byte{formatWrapped}, nil, plaintext, aad), nil
}

// Unwrap implements [seal.KEK]. The only error is [seal.ErrWrongKey].
func (k *KEK) Unwrap(_ context.Context, wrapped, aad []byte) ([]byte, error) {
	if len(wrapped) == 0 || wrapped[0] != formatWrapped {
		return nil, seal.ErrWrongKey
	}
	b, err := k.aead.Open(nil, nil, wrapped[1:], aad)
	if err != nil {
		return nil, seal.ErrWrongKey
	}
	return b, nil
}

// String returns the name.
func (k *KEK) String() string { return k.name }

// Format prints the name for every verb.
func (k *KEK) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.name) }

// LogValue returns the name.
func (k *KEK) LogValue() slog.Value { return slog.StringValue(k.name) }

// MarshalText returns the name.
func (k *KEK) MarshalText() ([]byte, error) { return []byte(k.name), nil }
