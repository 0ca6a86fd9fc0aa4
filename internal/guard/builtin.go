package guard

import (
	"sync"
	"time"

	"tacet"
	"tacet/internal/policy"
)

// builtin are the managed policies that every deployment has, under the names and ids AWS
// gives them; see the AWS Managed Policy Reference. They hold what concerns Tacet.
var builtin = sync.OnceValue(func() map[string]*managedPolicy {
	out := map[string]*managedPolicy{}
	for _, b := range []struct{ id, name, description, document string }{
		{"ANPAIWMBCKSKIEE64ZLYK", "AdministratorAccess", "Provides full access to all operations and resources.",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`},
		{"ANPAI7XKCFMBPM3QQRRVQ", "IAMFullAccess", "Provides full access to IAM.",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`},
		{"ANPAJKSO7NDY4T57MWDSQ", "IAMReadOnlyAccess", "Provides read only access to IAM.",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Generate*","iam:Get*","iam:List*","iam:Simulate*"],"Resource":"*"}]}`},
		{"ANPAI3VG7CI5BIQZQ6G2E", "SecretsManagerReadWrite", "Provides read and write access to secrets.",
			`{"Version":"2012-10-17","Statement":[{"Sid":"BasePermissions","Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}]}`},
		{"ANPAILL3HVNFSB6DCOWYQ", "ReadOnlyAccess", "Provides read only access to operations and resources; not to values.",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Generate*","iam:Get*","iam:List*","iam:Simulate*","secretsmanager:Describe*","secretsmanager:GetRandomPassword",` +
				`"secretsmanager:GetResourcePolicy","secretsmanager:List*","sts:GetAccessKeyInfo","sts:GetCallerIdentity"],"Resource":"*"}]}`},
	} {
		p := &managedPolicy{ManagedPolicy: tacet.ManagedPolicy{ID: b.id, Account: builtinAccount, Path: "/", Name: b.name, Description: b.description,
			Created: builtinDate, Updated: builtinDate, Default: "v1", NextVersion: 2,
			Versions: []tacet.PolicyVersion{{ID: "v1", Document: b.document, Created: builtinDate}}}}
		p.arn = p.ARN()
		var err error
		if p.doc, err = policy.Parse(p.arn, policy.Identity, []byte(b.document)); err != nil {
			panic("guard: " + p.arn + ": " + err.Error()) // a text of this file
		}
		out[p.arn] = p
	}
	return out
})

// builtinAccount stands where an ARN of a builtin policy has no account.
const builtinAccount = "aws"

var builtinDate = time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
