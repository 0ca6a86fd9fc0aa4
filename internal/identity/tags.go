package identity

import (
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// foldsTags reports whether tag keys that differ in case alone are one key: of users and
// roles, as IAM has it.
func (r Ref) foldsTags() bool { return r.Kind == tacet.KindUser || r.Kind == tacet.KindRole }

// sameKey compares two tag keys.
func (r Ref) sameKey(a, b string) bool {
	return a == b || r.foldsTags() && strings.EqualFold(a, b)
}

// Tag adds tags to a user, role, managed policy or OIDC provider; those of the same key
// are replaced.
//
// Errors: PrincipalNotFound, InvalidRequest, InvalidParameter, LimitExceeded (50 tags).
func (s *Service) Tag(ctx context.Context, call tacet.Call, of Ref, tags []tacet.Tag) error {
	r := of.request(call, of.op("Tag", ""))
	addTags(&r, tags)
	return of.change(ctx, s, r, func(tx *guard.Tx, p *principal) error {
		if err := validTags(tags, of.foldsTags()); err != nil {
			return err
		}
		all := slices.DeleteFunc(slices.Clone(*p.tags), func(old tacet.Tag) bool {
			return slices.ContainsFunc(tags, func(t tacet.Tag) bool { return of.sameKey(t.Key, old.Key) })
		})
		if all = append(all, tags...); len(all) > tacet.MaxTags {
			return tooManyTags()
		}
		*p.tags = sortTags(all)
		return p.put(tx)
	})
}

// Untag removes the tags of these keys; that there is none is no error.
//
// Errors: PrincipalNotFound.
func (s *Service) Untag(ctx context.Context, call tacet.Call, of Ref, keys []string) error {
	r := of.request(call, of.op("Untag", ""))
	r.Parameters["tagKeys"] = keys
	r.AddCondition("aws:tagkeys", keys...)
	return of.change(ctx, s, r, func(tx *guard.Tx, p *principal) error {
		*p.tags = sortTags(slices.DeleteFunc(slices.Clone(*p.tags), func(t tacet.Tag) bool {
			return slices.ContainsFunc(keys, func(k string) bool { return of.sameKey(k, t.Key) })
		}))
		return p.put(tx)
	})
}

// ListTags returns the tags of a user, role, managed policy or OIDC provider by key.
//
// Errors: PrincipalNotFound, InvalidNextToken.
func (s *Service) ListTags(ctx context.Context, call tacet.Call, of Ref, page Page) (List[tacet.Tag], error) {
	op := of.op("List", "Tags")
	return view(ctx, s, of, of.request(call, op), func(v *guard.Snapshot, p *principal) (List[tacet.Tag], error) {
		return pageOf(v, op, of.Name, page, slices.Clone(*p.tags), func(t *tacet.Tag) string { return t.Key })
	})
}
