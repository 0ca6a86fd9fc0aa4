package policy

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// arnPattern is a pattern for an ARN. Each of the six parts is matched by itself, so
// that a wildcard does not reach over a colon, save in the last part.
type arnPattern struct {
	whole    bool    // first is matched with the whole value: "*", or a lone variable
	first    pattern // see whole
	segments [6]pattern
}

func compileARN(n *node, variables bool) (a arnPattern, err error) {
	segments := splitTemplate(n.text, variables)
	if n.text == "*" || variables && len(segments) == 1 && isVariable(n.text) {
		a.whole = true
		a.first, err = compilePattern(n, n.text, variables)
		return a, err
	}
	if len(segments) != len(a.segments) {
		return a, n.fail("must be an ARN, which has six parts")
	}
	for i, s := range segments {
		if a.segments[i], err = compilePattern(n, s, variables); err != nil {
			return a, err
		}
	}
	return a, nil
}

// isVariable reports whether the text is one variable and nothing else.
func isVariable(text string) bool {
	if !strings.HasPrefix(text, "${") {
		return false
	}
	p, size, problem := readVariable(text)
	return problem == "" && p.key != "" && size == len(text)
}

// splitTemplate splits an ARN at its first five colons outside variables.
func splitTemplate(text string, variables bool) []string {
	var out []string
	start := 0
	for i := 0; i < len(text) && len(out) < 5; {
		if variables && strings.HasPrefix(text[i:], "${") {
			_, size, _ := readVariable(text[i:])
			i += size
			continue
		}
		if text[i] == ':' {
			out = append(out, text[start:i])
			start = i + 1
		}
		i++
	}
	return append(out, text[start:])
}

func (a *arnPattern) match(v string, ctx Context) bool {
	if a.whole {
		return a.first.match(v, ctx)
	}
	segments, ok := splitARN(v)
	if !ok {
		return false
	}
	for i := range segments {
		if !a.segments[i].match(segments[i], ctx) {
			return false
		}
	}
	return true
}

// splitARN splits a value into the six parts of an ARN.
func splitARN(v string) (s [6]string, ok bool) {
	for i := range 5 {
		if s[i], v, ok = strings.Cut(v, ":"); !ok {
			return s, false
		}
	}
	s[5] = v
	return s, true
}

// decimal is a number as text, compared exactly: an account's number or a count must
// not be rounded as a float64 would.
type decimal struct {
	negative bool
	whole    string // without leading zeros
	fraction string // without trailing zeros
}

// parseDecimal reads digits with an optional sign and fraction.
func parseDecimal(s string) (d decimal, ok bool) {
	switch {
	case strings.HasPrefix(s, "-"):
		d.negative, s = true, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	whole, fraction, dot := strings.Cut(s, ".")
	if !isDigits(whole) || dot && !isDigits(fraction) {
		return decimal{}, false
	}
	d.whole, d.fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if d.whole == "" && d.fraction == "" {
		d.negative = false
	}
	return d, true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// compare returns -1, 0 or +1.
func (d decimal) compare(e decimal) int {
	if d.negative != e.negative {
		if d.negative {
			return -1
		}
		return 1
	}
	// Of two runs of digits that begin at the point, the greater text is the greater
	// fraction; of two that end at it, the longer is the greater number.
	order := cmp.Or(cmp.Compare(len(d.whole), len(e.whole)),
		strings.Compare(d.whole, e.whole), strings.Compare(d.fraction, e.fraction))
	if d.negative {
		return -order
	}
	return order
}

// parseDate reads a time in one of the forms of the W3C's note on ISO 8601 that name a
// day, or seconds since 1970. A year alone is not among them: it is seconds.
func parseDate(s string) (time.Time, bool) {
	if isDigits(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(n, 0), err == nil && n < 1<<40
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "20060102T150405Z"} {
		if len(s) < len(time.DateOnly) {
			break
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseBool reads true or false in any case.
func parseBool(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// parseNetwork reads an address or a CIDR block. Bits after the mask are of no
// account, and IPv4 in IPv6's clothes is IPv4, as in the addresses compared.
func parseNetwork(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, true
}
