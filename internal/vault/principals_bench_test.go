package vault_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
)

// BenchmarkPrincipals makes a user with a key and a policy, a managed policy and a role
// with that policy, in a directory that has 1,000 of each already.
func BenchmarkPrincipals(b *testing.B) {
	h := newHouse(b, "sqlite:"+filepath.Join(b.TempDir(), "tacet.db"))
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000001"},"Action":"sts:AssumeRole"}}`
	doc := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
	one := func(i int) {
		p, err := h.ids.CreatePolicy(h.ctx, h.admin, identity.CreatePolicyInput{Name: fmt.Sprint("p", i), Document: doc})
		h.must(err)
		h.newUser(fmt.Sprint("u", i), doc)
		_, err = h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: fmt.Sprint("r", i), Trust: trust})
		h.must(err)
		h.must(h.ids.AttachPolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindRole, Name: fmt.Sprint("r", i)}, p.ARN()))
	}
	start := time.Now()
	for i := range 1000 {
		one(i)
	}
	b.ReportMetric(time.Since(start).Seconds(), "s/first-1000")
	b.ResetTimer()
	for i := range b.N {
		one(1000 + i)
	}
}
