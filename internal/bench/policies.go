package bench

import (
	"encoding/xml"
	"fmt"
	"net/url"
)

// onePolicy lets the secrets be read, without a condition. What [tenPolicies] add to it is the
// difference between the two loads.
func onePolicy() []string {
	return []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}}`}
}

// tenPolicies are about the secrets that are read, with three conditions each, of which the
// last is met in the last policy alone: all thirty are looked at.
func tenPolicies() []string {
	out := make([]string, 10)
	for i := range out {
		name := fmt.Sprintf("bench-%d-*", i)
		if i == len(out)-1 {
			name = "bench-*"
		}
		out[i] = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],
			"Resource":"arn:aws:secretsmanager:*:*:secret:bench-*","Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","127.0.0.0/8"]},
			"Bool":{"aws:SecureTransport":"false"},"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/` + name + `"}}}}`
	}
	return out
}

// requestsUnder reads the secrets as a user who has these policies and nothing else.
func requestsUnder(policies []string) func(Signer, *Plan) (func(int, int) []byte, error) {
	return func(s Signer, p *Plan) (func(int, int) []byte, error) {
		u, err := s.newUser(policies)
		if err != nil {
			return nil, err
		}
		return getRequests(u, p)
	}
}

// newUser makes a user with managed policies and returns him as a client.
func (s Signer) newUser(policies []string) (Signer, error) {
	name := "bench-x" + token()
	steps := []url.Values{{"Action": {"CreateUser"}, "UserName": {name}}}
	for i, document := range policies {
		policy := fmt.Sprintf("%s-%d", name, i)
		steps = append(steps, url.Values{"Action": {"CreatePolicy"}, "PolicyName": {policy}, "PolicyDocument": {document}},
			url.Values{"Action": {"AttachUserPolicy"}, "UserName": {name}, "PolicyArn": {"arn:aws:iam::" + account + ":policy/" + policy}})
	}
	for _, form := range append(steps, url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}}) {
		answer, err := s.ask("iam", form)
		if err != nil {
			return Signer{}, err
		}
		var made struct {
			ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
			Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
		}
		if err := xml.Unmarshal(answer, &made); err != nil {
			return Signer{}, err
		}
		if made.ID != "" {
			s.AccessKey, s.SecretKey = made.ID, made.Secret
		}
	}
	return s, nil
}
