package policy

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conditions: keys that do not exist, operators that do not suit them, and conditions that
// no request can meet together.
func (l *linter) conditions() {
	operators := l.n.get("Condition")
	if operators == nil {
		return
	}
	i := 0 // the conditions are in the order of the text
	for _, keys := range operators.list {
		for j := range keys.list {
			l.condition(&l.s.conditions[i], &keys.list[j])
			i++
		}
	}
	for i := range l.s.conditions {
		c := &l.s.conditions[i]
		var same []*condition
		for j := range l.s.conditions {
			if l.s.conditions[j].ask == c.ask {
				same = append(same, &l.s.conditions[j])
			}
		}
		if same[0] == c && len(same) > 1 && !satisfiable(same) {
			l.add(SeverityError, "contradiction", operators.place, fmt.Sprintf("no request meets all conditions on %s", clip(c.key)), "")
		}
	}
}

func (l *linter) condition(c *condition, n *node) {
	key, known := lookupKey(c.key)
	switch {
	case !known && !isClaim(c.key):
		l.add(SeverityError, "unknown-key", n.place, fmt.Sprintf("no request has the key %s, so the condition is %s met", clip(c.key), c.whenAbsent()), nearestKey(c.key))
		return
	case key.Never:
		l.add(SeverityWarning, "absent-key", n.place, fmt.Sprintf("no request to Tacet has the key %s, so the condition is %s met", key.Name, c.whenAbsent()), "")
	case key.Only != "" && c.suits(key) && c.compare != compareNull && !c.holds(oneKey{c.ask, []string{key.Only}}):
		when := "never met"
		if c.holds(nil) {
			when = "met only by a request without it"
		}
		l.add(SeverityWarning, "fixed-key", n.place, fmt.Sprintf("%s is never anything but %s, so the condition is %s", key.Name, key.Only, when), "")
	case known && !c.suits(key):
		l.add(SeverityWarning, "key-type", n.place, fmt.Sprintf("%s is for other values than those of %s, whose type is %s", c.name, key.Name, key.Type),
			"Use "+operatorFor[key.Type])
	}
	l.quantifier(c, n, key)
	if c.compare == compareString && !c.variables && slices.ContainsFunc(c.wanted, func(v string) bool { return strings.ContainsAny(v, "*?") }) {
		l.add(SeverityWarning, "literal-wildcard", n.place, fmt.Sprintf("to %s a wildcard is a plain character", c.name),
			"Use "+strings.NewReplacer("StringEquals", "StringLike", "StringNotEquals", "StringNotLike").Replace(c.name))
	}
	if i := slices.IndexFunc(c.wanted, func(v string) bool { return len(v) == len("2030") && isDigits(v) }); i >= 0 && c.compare == compareDate {
		l.add(SeverityWarning, "year-alone", n.place, c.wanted[i]+" is so many seconds since 1970, and no year", "Write "+c.wanted[i]+"-01-01")
	}
}

// whenAbsent says what the condition is for a request that lacks its key.
func (c *condition) whenAbsent() string {
	if c.holds(nil) {
		return "always"
	}
	return "never"
}

func nearestKey(key string) string {
	names := make([]string, len(conditionKeys))
	for i, k := range conditionKeys {
		names[i] = k.Name
	}
	return didYouMean(key, names)
}

// operatorFor is the operator to begin with for a type of key.
var operatorFor = map[KeyType]string{
	StringKey: "StringEquals", ARNKey: "ArnLike", BoolKey: "Bool", NumericKey: "NumericEquals", DateKey: "DateLessThan", IPKey: "IpAddress",
}

// suits reports whether the operator compares values of the key's type.
func (c *condition) suits(key ConditionKey) bool {
	switch c.compare {
	case compareString, compareStringFold, compareLike:
		return key.Type == StringKey || key.Type == ARNKey
	case compareARN:
		return key.Type == ARNKey
	case compareNumber:
		return key.Type == NumericKey || key.Name == "aws:EpochTime"
	case compareDate:
		return key.Type == DateKey
	case compareBool:
		return key.Type == BoolKey
	case compareIP:
		return key.Type == IPKey
	}
	return c.compare == compareNull
}

// quantifier: the prefixes are for keys with several values, and ForAllValues is true of none.
func (l *linter) quantifier(c *condition, n *node, key ConditionKey) {
	switch {
	case c.compare == compareNull || key.Name == "":
	case key.Multi && c.quantity == anyPair:
		l.add(SeverityWarning, "needs-quantifier", n.place, key.Name+" may have several values", "Say ForAnyValue:"+c.name+" or ForAllValues:"+c.name)
	case !key.Multi && c.quantity == forAll && l.s.effect == Allow:
		l.add(SeverityWarning, "for-all-of-one", n.place, fmt.Sprintf("ForAllValues is met by a request without %s, which never has more than one value", key.Name),
			"Use "+strings.TrimPrefix(c.name, "ForAllValues:"))
	case key.Multi && c.quantity == forAll && l.s.effect == Allow && !l.demandsKey(c.ask):
		l.add(SeverityNote, "for-all-of-none", n.place, fmt.Sprintf("ForAllValues is met by a request without %s", key.Name),
			fmt.Sprintf(`Add "Null": {"%s": "false"} if it must have some`, key.Name))
	}
}

// demandsKey reports whether some condition of the statement fails without the key.
func (l *linter) demandsKey(ask string) bool {
	return slices.ContainsFunc(l.s.conditions, func(c condition) bool { return c.ask == ask && !c.holds(nil) })
}

// oneKey is a request's context with values for one key.
type oneKey struct {
	ask    string
	values []string
}

func (k oneKey) Value(key string) ([]string, bool) {
	return k.values, key == k.ask && len(k.values) > 0
}

// satisfiable reports whether any request can meet conditions on one key. It tries the
// values that the conditions speak of, values near them, pairs of these where the key may
// have several, and none; so it may take a hard case for a contradiction, but only where
// values lie densely.
func satisfiable(conditions []*condition) bool {
	values := []string{"\x00 none of them"}
	for _, c := range conditions {
		if slices.ContainsFunc(c.wanted, func(v string) bool { return strings.Contains(v, "${") }) {
			return true // there is no telling
		}
		for _, v := range c.wanted {
			values = append(values, near(c.compare, v)...)
		}
	}
	meets := func(values ...string) bool {
		return !slices.ContainsFunc(conditions, func(c *condition) bool { return !c.holds(oneKey{c.ask, values}) })
	}
	if len(values) > 200 || meets() || slices.ContainsFunc(values, func(v string) bool { return meets(v) }) {
		return true
	}
	if key, known := lookupKey(conditions[0].key); known && !key.Multi {
		return false
	}
	if len(conditions) > 2 {
		return true // more than two values may be needed, and there are too many to try
	}
	return meets(values...) || slices.ContainsFunc(values, func(v string) bool {
		return slices.ContainsFunc(values, func(w string) bool { return meets(v, w) })
	})
}

// near returns a value of a condition in the form that requests have, and some beside it.
func near(compare comparison, v string) []string {
	switch compare {
	case compareNumber:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			break
		}
		out := []string{v}
		for _, d := range []float64{-1, -0.5, -0.001, 0.001, 0.5, 1} {
			out = append(out, strconv.FormatFloat(f+d, 'f', -1, 64))
		}
		return out
	case compareDate:
		t, _ := parseDate(v)
		return []string{v, t.Add(time.Second).UTC().Format(time.RFC3339), t.Add(-time.Second).UTC().Format(time.RFC3339)}
	case compareIP:
		n, _ := parseNetwork(v)
		return []string{n.Masked().Addr().String(), lastAddress(n).String(), lastAddress(n).Prev().String()}
	case compareBinary:
		b, _ := base64.StdEncoding.DecodeString(v)
		return []string{string(b)}
	case compareLike, compareARN:
		var out []string
		for _, run := range []string{"", "x", "zq:7"} {
			out = append(out, strings.NewReplacer("*", run, "?", "x").Replace(v))
		}
		return out
	}
	return []string{v}
}

// lastAddress returns the last address of a network.
func lastAddress(n netip.Prefix) netip.Addr {
	b := n.Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
