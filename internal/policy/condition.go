package policy

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// comparison is how an operator compares one value of the request with one of the policy.
type comparison uint8

const (
	compareString comparison = iota
	compareStringFold
	compareLike
	compareARN
	compareNumber
	compareDate
	compareBool
	compareBinary
	compareIP
	compareNull // whether the key is there at all
)

// relation is what a comparison of numbers or dates must come to.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

func (r relation) holds(order int) bool {
	switch r {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	}
	return order == 0
}

// quantifier is the prefix of an operator on a key with several values.
type quantifier uint8

const (
	anyPair   quantifier = iota // none: one value that compares is enough
	forAll                      // ForAllValues:
	forAnyOne                   // ForAnyValue:
)

// operator is a condition operator taken apart.
type operator struct {
	compare  comparison
	relation relation
	negated  bool
	ifExists bool
	quantity quantifier
}

// condition is one operator on one key.
type condition struct {
	operator
	name      string   // the operator as written
	key       string   // the key as written
	ask       string   // the key as Context takes it
	wanted    []string // the values as written
	variables bool     // some of which have variables

	// The values, of the type that the operator compares.
	texts    []pattern
	arns     []arnPattern
	numbers  []decimal
	dates    []time.Time
	bools    [2]bool // wanted: false, true
	binaries []string
	networks []netip.Prefix
}

// parseOperator takes an operator apart. See the IAM JSON policy elements reference,
// condition operators.
func parseOperator(name string) (operator, bool) {
	quantity := anyPair
	if s, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, quantity = s, forAll
	} else if s, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, quantity = s, forAnyOne
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	op, ok := baseOperator(name)
	if !ok || op.compare == compareNull && (ifExists || quantity != anyPair) {
		return operator{}, false
	}
	op.ifExists, op.quantity = ifExists, quantity
	return op, true
}

func baseOperator(name string) (op operator, ok bool) {
	switch name {
	case "StringEquals":
		return operator{compare: compareString}, true
	case "StringNotEquals":
		return operator{compare: compareString, negated: true}, true
	case "StringEqualsIgnoreCase":
		return operator{compare: compareStringFold}, true
	case "StringNotEqualsIgnoreCase":
		return operator{compare: compareStringFold, negated: true}, true
	case "StringLike":
		return operator{compare: compareLike}, true
	case "StringNotLike":
		return operator{compare: compareLike, negated: true}, true
	case "ArnEquals", "ArnLike":
		return operator{compare: compareARN}, true
	case "ArnNotEquals", "ArnNotLike":
		return operator{compare: compareARN, negated: true}, true
	case "Bool":
		return operator{compare: compareBool}, true
	case "BinaryEquals":
		return operator{compare: compareBinary}, true
	case "IpAddress":
		return operator{compare: compareIP}, true
	case "NotIpAddress":
		return operator{compare: compareIP, negated: true}, true
	case "Null":
		return operator{compare: compareNull}, true
	}
	if s, ok := strings.CutPrefix(name, "Numeric"); ok {
		return orderOperator(compareNumber, s)
	}
	if s, ok := strings.CutPrefix(name, "Date"); ok {
		return orderOperator(compareDate, s)
	}
	return operator{}, false
}

func orderOperator(compare comparison, name string) (op operator, ok bool) {
	op.compare = compare
	switch name {
	case "Equals":
	case "NotEquals":
		op.negated = true
	case "LessThan":
		op.relation = less
	case "LessThanEquals":
		op.relation = lessOrEqual
	case "GreaterThan":
		op.relation = greater
	case "GreaterThanEquals":
		op.relation = greaterOrEqual
	default:
		return operator{}, false
	}
	return op, true
}

// readConditions reads a Condition element: operators, of keys, of values. An empty
// element is no condition; an empty operator is a slip.
func readConditions(n *node, variables bool) ([]condition, error) {
	if n.kind != objectNode {
		return nil, n.fail("must be an object, not %s", n.kind)
	}
	var out []condition
	for i, name := range n.keys {
		v := &n.list[i]
		op, ok := parseOperator(name)
		switch {
		case !ok:
			return nil, v.fail("unknown operator")
		case v.kind != objectNode:
			return nil, v.fail("must be an object, not %s", v.kind)
		case len(v.keys) == 0:
			return nil, v.fail("must not be empty")
		}
		seen := map[string]bool{}
		for j, key := range v.keys {
			c := condition{operator: op, name: name, key: key, ask: contextKey(key)}
			values := &v.list[j]
			if problem := checkKey(key); problem != "" {
				return nil, values.fail("%s", problem)
			}
			if folded := strings.ToLower(key); seen[folded] {
				return nil, values.fail("given twice: keys have no case")
			} else {
				seen[folded] = true
			}
			if err := c.readValues(values, variables); err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// readValues reads one value or a list. As in AWS, a number or a boolean need not
// stand in quotes, whatever the operator.
func (c *condition) readValues(n *node, variables bool) error {
	list := n.elements()
	if len(list) == 0 {
		return n.fail("must not be empty")
	}
	for i := range list {
		v := &list[i]
		if v.kind != stringNode && v.kind != numberNode && v.kind != boolNode {
			return v.fail("must be a string, a number or a boolean, not %s", v.kind)
		}
		if err := c.readValue(v, variables); err != nil {
			return err
		}
		c.wanted = append(c.wanted, v.text)
		c.variables = c.variables || variables && strings.Contains(v.text, "${")
	}
	return nil
}

func (c *condition) readValue(v *node, variables bool) error {
	var p pattern
	var err error
	ok, want := true, ""
	switch c.compare {
	case compareString, compareStringFold:
		p, err = compileExact(v, v.text, variables)
		c.texts = append(c.texts, p)
	case compareLike:
		p, err = compilePattern(v, v.text, variables)
		c.texts = append(c.texts, p)
	case compareARN:
		var a arnPattern
		a, err = compileARN(v, variables)
		c.arns = append(c.arns, a)
	case compareNumber:
		var d decimal
		d, ok = parseDecimal(v.text)
		c.numbers, want = append(c.numbers, d), "a decimal number"
	case compareDate:
		var t time.Time
		t, ok = parseDate(v.text)
		c.dates, want = append(c.dates, t), "a date as in RFC 3339 or seconds since 1970"
	case compareBool, compareNull:
		var b bool
		b, ok = parseBool(v.text)
		if b {
			c.bools[1] = true
		} else {
			c.bools[0] = true
		}
		want = "true or false"
	case compareBinary:
		var b []byte
		b, err = base64.StdEncoding.DecodeString(v.text)
		c.binaries, ok, err, want = append(c.binaries, string(b)), err == nil, nil, "base64"
	case compareIP:
		var n netip.Prefix
		n, ok = parseNetwork(v.text)
		c.networks, want = append(c.networks, n), "an IP address or a CIDR block"
	}
	if err == nil && !ok {
		return v.fail("must be %s", want)
	}
	return err
}

// holds evaluates the condition.
func (c *condition) holds(ctx Context) bool {
	values := lookup(ctx, c.ask)
	if c.compare == compareNull {
		return len(values) == 0 && c.bools[1] || len(values) != 0 && c.bools[0]
	}
	if len(values) == 0 {
		switch {
		case c.ifExists || c.quantity == forAll:
			return true
		case c.quantity == forAnyOne:
			return false
		}
		return c.negated
	}
	switch c.quantity {
	case forAll:
		for _, v := range values {
			if c.equals(v, ctx) == c.negated {
				return false
			}
		}
		return true
	case forAnyOne:
		for _, v := range values {
			if c.equals(v, ctx) != c.negated {
				return true
			}
		}
		return false
	}
	for _, v := range values {
		if c.equals(v, ctx) {
			return !c.negated
		}
	}
	return c.negated
}

// equals reports whether a value of the request compares with any value of the
// policy. A value of another type than the operator's compares with none.
func (c *condition) equals(v string, ctx Context) bool {
	switch c.compare {
	case compareString, compareLike:
		for i := range c.texts {
			if c.texts[i].match(v, ctx) {
				return true
			}
		}
	case compareStringFold:
		for i := range c.texts {
			if c.texts[i].equalFold(v, ctx) {
				return true
			}
		}
	case compareARN:
		for i := range c.arns {
			if c.arns[i].match(v, ctx) {
				return true
			}
		}
	case compareNumber:
		d, ok := parseDecimal(v)
		return ok && slices.ContainsFunc(c.numbers, func(n decimal) bool { return c.relation.holds(d.compare(n)) })
	case compareDate:
		t, ok := parseDate(v)
		return ok && slices.ContainsFunc(c.dates, func(d time.Time) bool { return c.relation.holds(t.Compare(d)) })
	case compareBool:
		b, ok := parseBool(v)
		return ok && (b && c.bools[1] || !b && c.bools[0])
	case compareBinary:
		return slices.Contains(c.binaries, v)
	case compareIP:
		a, err := netip.ParseAddr(v)
		a = a.Unmap().WithZone("")
		return err == nil && slices.ContainsFunc(c.networks, func(n netip.Prefix) bool { return n.Contains(a) })
	}
	return false
}
