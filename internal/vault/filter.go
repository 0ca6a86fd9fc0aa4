package vault

import (
	"strings"
	"unicode"

	"tacet"
)

// matcher decides whether a secret passes a listing's filters. Filters must all
// match; the values of one filter are alternatives; "!" before a value negates it.
type matcher []filter

type filter struct {
	key    string
	values []filterValue
}

type filterValue struct {
	text   string
	negate bool
	words  []string // for the filters that compare words, in lower case
}

// newMatcher checks and prepares filters.
func newMatcher(filters []Filter) (matcher, error) {
	var m matcher
	for _, f := range filters {
		if f.Key == "" {
			return nil, tacet.Errorf(tacet.InvalidParameter, "Invalid filter key")
		}
		if len(f.Values) == 0 {
			return nil, tacet.Errorf(tacet.InvalidParameter, "Invalid filter values for key: %s", f.Key)
		}
		out := filter{key: f.Key}
		for _, text := range f.Values {
			v := filterValue{text: text}
			v.text, v.negate = strings.CutPrefix(text, "!")
			switch f.Key {
			case FilterDescription:
				v.words = strings.Fields(strings.ToLower(v.text))
			case FilterAll:
				v.words = splitWords(v.text)
			}
			out.values = append(out.values, v)
		}
		m = append(m, out)
	}
	return m, nil
}

// namePrefix is a prefix that every match has, for a listing in the order of names.
func (m matcher) namePrefix() string {
	for _, f := range m {
		if f.key == FilterName && len(f.values) == 1 && !f.values[0].negate {
			return f.values[0].text
		}
	}
	return ""
}

func (m matcher) match(sec *tacet.Secret) bool {
	for _, f := range m {
		if !f.match(sec) {
			return false
		}
	}
	return true
}

func (f filter) match(sec *tacet.Secret) bool {
	for _, v := range f.values {
		if v.matches(f.key, sec) != v.negate {
			return true
		}
	}
	return false
}

func (v filterValue) matches(key string, sec *tacet.Secret) bool {
	switch key {
	case FilterName:
		return strings.HasPrefix(sec.Name, v.text)
	case FilterDescription:
		return prefixWords(v.words, descriptionWords(sec.Description))
	case FilterTagKey:
		for _, t := range sec.Tags {
			if strings.HasPrefix(t.Key, v.text) {
				return true
			}
		}
	case FilterTagValue:
		for _, t := range sec.Tags {
			if strings.HasPrefix(t.Value, v.text) {
				return true
			}
		}
	case FilterPrimaryRegion:
		return sec.PrimaryRegion != "" && strings.HasPrefix(sec.PrimaryRegion, v.text)
	case FilterOwningService:
		return sec.OwningService != "" && strings.HasPrefix(strings.ToLower(sec.OwningService), strings.ToLower(v.text))
	case FilterAll:
		return prefixWords(v.words, allWords(sec))
	}
	return false
}

// prefixWords reports whether every wanted word begins some word that is there. With
// no wanted word it is false: a value of punctuation alone finds nothing.
func prefixWords(want, have []string) bool {
	for _, w := range want {
		found := false
		for _, h := range have {
			if strings.HasPrefix(h, w) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return len(want) > 0
}

// descriptionWords are the words of a description: as spaces part them, and as
// punctuation does too, so that "api" finds "API-key" and "(prod)" is found either way.
func descriptionWords(text string) []string {
	text = strings.ToLower(text)
	return append(strings.Fields(text), strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
}

// allWords are the words of the fields that the filter "all" looks into.
func allWords(sec *tacet.Secret) []string {
	words := append(splitWords(sec.Name), splitWords(sec.Description)...)
	for _, t := range sec.Tags {
		words = append(words, splitWords(t.Key)...)
		words = append(words, splitWords(t.Value)...)
	}
	return words
}

// splitWords splits text at punctuation and spaces, between lower and upper case,
// before the last of a run of capitals that a lower-case letter follows ("COMPANYthings"
// is "COMPAN", "Ythings"), and between letters and digits; in lower case.
func splitWords(text string) []string {
	var words []string
	rs := []rune(text)
	start := -1
	flush := func(end int) {
		if start >= 0 {
			words = append(words, strings.ToLower(string(rs[start:end])))
			start = -1
		}
	}
	for i, r := range rs {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush(i)
			continue
		}
		if start >= 0 && boundary(rs, i) {
			flush(i)
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(rs))
	return words
}

// boundary reports whether a new word begins at rs[i], whose predecessor is a letter
// or a digit.
func boundary(rs []rune, i int) bool {
	prev, r := rs[i-1], rs[i]
	if unicode.IsDigit(prev) != unicode.IsDigit(r) {
		return true
	}
	if unicode.IsLower(prev) && unicode.IsUpper(r) {
		return true
	}
	return unicode.IsUpper(prev) && unicode.IsUpper(r) && i+1 < len(rs) && unicode.IsLower(rs[i+1])
}
