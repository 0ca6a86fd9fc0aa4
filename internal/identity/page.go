package identity

import (
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// A Page asks for a part of a listing.
type Page struct {
	Marker string // of an earlier answer; "" for the beginning
	Limit  int    // 0 for everything
}

// A List is a part of a listing.
type List[T any] struct {
	Items []T
	// Marker asks for what follows; "" at the end.
	Marker string
}

// Listing asks for things by their path.
type Listing struct {
	PathPrefix string // "" for all
	Page
}

// pageOf cuts a listing, in the order of its items' keys, which must differ. A marker is
// good for the question it was given for, what, and for nothing else.
//
// Errors: InvalidNextToken.
func pageOf[T any](v *guard.Snapshot, what tacet.Operation, about string, p Page, items []T, key func(*T) string) (List[T], error) {
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(key(&a), key(&b)) })
	purpose := "iam/" + string(what) + "/" + about
	if p.Marker != "" {
		last, err := v.OpenToken(purpose, p.Marker)
		if err != nil {
			return List[T]{}, err
		}
		n, found := slices.BinarySearchFunc(items, string(last), func(item T, last string) int { return strings.Compare(key(&item), last) })
		if found {
			n++
		}
		items = items[n:]
	}
	if p.Limit <= 0 || len(items) <= p.Limit {
		return List[T]{Items: items}, nil
	}
	items = items[:p.Limit]
	return List[T]{items, v.SealToken(purpose, []byte(key(&items[p.Limit-1])))}, nil
}

// byName is the key of a principal in listings: names differ in more than case.
func byName(g *tacet.Grantee) string { return strings.ToLower(g.Name) }

// withPath keeps the items whose path begins with a prefix.
func withPath[T any](items []T, prefix string, path func(*T) string) []T {
	if prefix == "" {
		return items
	}
	return slices.DeleteFunc(items, func(item T) bool { return !strings.HasPrefix(path(&item), prefix) })
}
