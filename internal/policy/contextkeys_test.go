package policy

import (
	"strings"
	"testing"
)

func TestKeysOfDocuments(t *testing.T) {
	for _, tt := range []struct{ version, resource, condition, want string }{
		{"2012-10-17", "*", `{}`, ""},
		{"2012-10-17", "*", `{"StringEquals":{"aws:RequestTag/Team":"a"},"Bool":{"AWS:SecureTransport":"true"},"Null":{"aws:securetransport":"false"}}`, "aws:RequestTag/Team AWS:SecureTransport"},
		{"2012-10-17", "arn:aws:s3:::b/${aws:username}/${*}${?}${$}/${aws:PrincipalTag/Team, 'none'}", `{"StringLike":{"aws:userid":"${aws:FederatedProvider}*"}}`,
			"aws:FederatedProvider aws:PrincipalTag/Team aws:userid aws:username"},
		{"2008-10-17", "arn:aws:s3:::b/${aws:username}", `{"StringLike":{"aws:userid":"${aws:FederatedProvider}*"}}`, "aws:userid"},
	} {
		d, err := Parse("p", Identity, []byte(`{"Version":"`+tt.version+`","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"`+tt.resource+`","Condition":`+tt.condition+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.ContextKeys(), " "); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.resource, tt.condition, got, tt.want)
		}
	}
}
