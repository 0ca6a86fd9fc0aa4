package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tacet/internal/client"
)

// TestNamesInJSON: docs/access.md lists the members of every answer about decisions.
func TestNamesInJSON(t *testing.T) {
	b, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	for row, types := range map[string][]reflect.Type{
		"`can`":       {reflect.TypeFor[client.Verdict]()},
		"`who-can`":   {reflect.TypeFor[client.Access](), reflect.TypeFor[client.Accessor]()},
		"`why`":       {reflect.TypeFor[client.Explained]()},
		"a decision":  {reflect.TypeFor[client.Decision]()},
		"a statement": {reflect.TypeFor[client.Statement]()},
		"a condition": {reflect.TypeFor[client.Condition]()},
		"a grant":     {reflect.TypeFor[client.Grant]()},
	} {
		_, after, found := strings.Cut(string(b), "\n| "+row+" | ")
		cells, _, _ := strings.Cut(after, "\n")
		var said, are []string
		for _, m := range regexp.MustCompile("`([a-zA-Z]+)`").FindAllStringSubmatch(strings.ReplaceAll(cells, "(as of `can`)", ""), -1) {
			said = append(said, m[1])
		}
		for _, typ := range types {
			are = append(are, jsonNames(typ)...)
		}
		slices.Sort(said)
		slices.Sort(are)
		said, are = slices.Compact(said), slices.Compact(are)
		if !found || !slices.Equal(said, are) {
			t.Errorf("%s: the page says %v, the answer has %v", row, said, are)
		}
	}
}

// jsonNames lists the members of a struct in JSON.
func jsonNames(t reflect.Type) (out []string) {
	for f := range t.NumField() {
		field := t.Field(f)
		if field.Anonymous {
			out = append(out, jsonNames(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}
