package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// parseConfig reads the text of a configuration file. It is stricter than the decoder,
// which takes keys in any case. Errors name keys and lines, and never repeat the text of
// the file: it may be a password somebody misplaced.
func parseConfig(text []byte) (Config, error) {
	// The document by itself comes first: what goes wrong after it is not the syntax.
	var doc map[string]any
	var bad *toml.DecodeError
	if err := toml.Unmarshal(text, &doc); errors.As(err, &bad) {
		where := position(bad)
		if key := strings.Join(bad.Key(), "."); key != "" {
			where += ", key " + key
		}
		return Config{}, fmt.Errorf("%s: %s", where, strings.TrimPrefix(bad.Error(), "toml: "))
	} else if err != nil {
		return Config{}, err
	}
	var cfg Config
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&cfg)
	var errs []error
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		for _, e := range unknown.Errors {
			line, _ := e.Position()
			errs = append(errs, fmt.Errorf("line %d: unknown key %s", line, strings.Join(e.Key(), ".")))
		}
	} else if errors.As(err, &bad) {
		key := strings.Join(bad.Key(), ".")
		return Config{}, fmt.Errorf("%s: %s must be %s", position(bad), key, meant(reflect.TypeFor[Config](), bad.Key()))
	} else if err != nil {
		return Config{}, err
	}
	for _, key := range misspelt("", doc) {
		errs = append(errs, fmt.Errorf("unknown key %s: keys are written in lower case", key))
	}
	return cfg, joinLines(errs)
}

func position(e *toml.DecodeError) string {
	line, column := e.Position()
	return fmt.Sprintf("line %d, column %d", line, column)
}

var keyPattern = regexp.MustCompile(`^[a-z_]+$`)

// misspelt returns the keys that the decoder would take for the one that is meant, such
// as Address for address.
func misspelt(path string, doc map[string]any) []string {
	var keys []string
	for key, value := range doc {
		if !keyPattern.MatchString(key) && known(reflect.TypeFor[Config](), append(split(path), key)) != nil {
			keys = append(keys, path+key)
		} else if table, ok := value.(map[string]any); ok {
			keys = append(keys, misspelt(path+key+".", table)...)
		}
	}
	slices.Sort(keys)
	return keys
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' })
}

// known returns the type of a key, whatever its case, or nil where there is no such key.
func known(t reflect.Type, key []string) reflect.Type {
	if len(key) == 0 || t == nil {
		return t
	}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if tag := t.Field(i).Tag.Get("toml"); tag != "-" && tag != "" && strings.EqualFold(tag, key[0]) {
				return known(t.Field(i).Type, key[1:])
			}
		}
	}
	return nil
}

// meant says what kind of value a key has.
func meant(config reflect.Type, key []string) string {
	t := known(config, key)
	switch {
	case t == nil:
		return "of another type"
	case t == reflect.TypeFor[Duration]():
		return `a time, as "10s" or "1m30s"`
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Struct:
		return "a table"
	}
	return "a whole number"
}

// ConfigAdvice says what to do about an error of [LoadConfig].
func ConfigAdvice(err error) string {
	var file *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "name the configuration with --config FILE; docs/tacet.toml is a sample to begin with"
	case errors.Is(err, fs.ErrPermission):
		return "let the user that tacet runs as read the file and its folder, or name another one with --config FILE"
	case errors.As(err, &file):
		return "name a file that can be read with --config FILE"
	}
	return "mend the file; every key is described in docs/config.schema.json"
}
