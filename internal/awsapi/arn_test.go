package awsapi

import (
	"strings"
	"testing"

	"tacet"
)

func TestContractB0_SecretID(t *testing.T) {
	const account, region = "123456789012", "eu-central-1"
	arn := "arn:aws:secretsmanager:" + region + ":" + account + ":secret:"
	for _, tt := range []struct {
		in           string
		name, suffix string
	}{
		{"db", "db", ""},
		{"prod/db_1+x=.@-", "prod/db_1+x=.@-", ""},
		{"db-a1B2c3", "db-a1B2c3", ""}, // a name, whatever it looks like
		{"rds!cluster-1", "rds!cluster-1", ""},
		{"-", "-", ""},
		{arn + "db-a1B2c3", "db", "a1B2c3"},
		{arn + "prod/db-a1B2c3", "prod/db", "a1B2c3"},
		{arn + "db", "db", ""},
		{arn + "db-a1b2", "db-a1b2", ""},
		{arn + "db-a1b2c3-", "db-a1b2c3-", ""},
		{arn + "db-a1b2c3-d4e5f6", "db-a1b2c3", "d4e5f6"},
		{arn + "-a1b2c3", "-a1b2c3", ""}, // nothing is left for a name
		{arn + "rds!x-a1b2c3", "rds!x", "a1b2c3"},
	} {
		ref, ok := tacet.ParseSecretID(tt.in)
		if !ok || ref.Given != tt.in || ref.Name != tt.name || ref.Suffix != tt.suffix {
			t.Errorf("%s: %+v, %v", tt.in, ref, ok)
		}
		if isARN := strings.HasPrefix(tt.in, "arn:"); isARN != (ref.Account == account && ref.Region == region) ||
			!isARN && ref.Account+ref.Region != "" {
			t.Errorf("%s: account %q, region %q", tt.in, ref.Account, ref.Region)
		}
	}
}

func TestContractB0_SecretIDRefused(t *testing.T) {
	for _, in := range []string{
		"", "a b", "a:b", "é", "a\x00", "a*", "ARN:aws:secretsmanager:r-1:123456789012:secret:a", "#",
		"arn:", "arn:aws", "arn:aws:secretsmanager", "arn:aws:secretsmanager:::secret:a",
		"arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
		"arn:aws:secretsmanager:eu-central-1:123456789012:secret:a b",
		"arn:aws:secretsmanager:eu-central-1:123456789012:secret:a:b",
		"arn:aws:secretsmanager:eu-central-1:12345678901:secret:a",
		"arn:aws:secretsmanager:eu-central-1:1234567890123:secret:a",
		"arn:aws:secretsmanager:eu-central-1:12345678901x:secret:a",
		"arn:aws:secretsmanager:EU:123456789012:secret:a",
		"arn:aws:secretsmanager::123456789012:secret:a",
		"arn:aws:secretsmanager:local:123456789012:secret:a",
		"arn:aws:secretsmanager:eu-central-1:123456789012:parameter:a",
		"arn:aws:ssm:eu-central-1:123456789012:secret:a",
		"arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a",
	} {
		if ref, ok := tacet.ParseSecretID(in); ok {
			t.Errorf("%q was taken for %+v", in, ref)
		}
	}
}

// A region is named the same way everywhere: in scopes and in ARNs.
func TestRegionNames(t *testing.T) {
	longest := strings.Repeat("r", tacet.MaxRegion-2) + "-1"
	for _, s := range []string{"us-east-1", "eu-central-1", "us-gov-west-1", "a-0", "ap-southeast-12", longest} {
		if !tacet.IsRegion(s) {
			t.Errorf("%s was refused", s)
		}
	}
	for _, s := range []string{"", "nowhere", "us_east_1", "US-EAST-1", "us-east-1x", "a:b*c", strings.Repeat("r", 3000), "r" + longest,
		"aws-global", "us-east-", "-us-east-1", "us--east-1", "us-east1-1", "1", "-1", "us-east-1\n", "us-east-1 ", "us-east-١"} {
		if tacet.IsRegion(s) {
			t.Errorf("%.40q was taken", s)
		}
		for _, service := range []string{"secretsmanager", "sts", "iam", "tacet"} {
			if valid := New(Config{}).regionsOf(service)(s); valid != (service == "sts" && s == "aws-global") {
				t.Errorf("a scope of %s in %.40q: %v", service, s, valid)
			}
		}
		if _, ok := tacet.ParseSecretID("arn:aws:secretsmanager:" + s + ":123456789012:secret:a"); ok {
			t.Errorf("an ARN in %.40q was taken", s)
		}
	}
	none := New(Config{ValidRegion: func(string) bool { return false }})
	for service, want := range map[string]bool{"secretsmanager": false, "sts": true, "iam": true, "tacet": false} {
		if got := none.regionsOf(service)("us-east-1"); got != want {
			t.Errorf("%s in us-east-1 without a vault: %v", service, got)
		}
	}
}

// An ARN that is accepted, put together again from what was read, is the same.
func FuzzARN(f *testing.F) {
	for _, s := range []string{"db", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-a1B2c3",
		"arn:aws:secretsmanager:xx-local-1:000000000000:secret:a", "arn:aws:secretsmanager:a:b:secret:c:secret:d", "arn:::::", "-a1b2c3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ref, ok := tacet.ParseSecretID(in)
		if !ok {
			return
		}
		if ref.Given != in || ref.IsZero() || !tacet.ValidSecretName(ref.Name, true) {
			t.Fatalf("%q: %+v", in, ref)
		}
		back := ref.Name
		if ref.Suffix != "" {
			back += "-" + ref.Suffix
		}
		if ref.Account != "" {
			back = tacet.SecretARN(ref.Region, ref.Account, back)
		}
		if back != in {
			t.Fatalf("%q came back as %q", in, back)
		}
	})
}
