package awsapi

import (
	"errors"
	"strings"

	"tacet"
)

// translateQuery is translate for the Query protocol: the same errors under the codes and
// statuses of STS and IAM.
func translateQuery(op tacet.Operation, err error) *failure {
	var e *tacet.Error
	var f *failure
	if errors.As(err, &e) && !errors.As(err, &f) {
		if q := queryByCode(op, e); q != nil {
			return q
		}
	}
	return queryFailure(translate(op, err))
}

// queryByCode words the errors that STS and IAM know and Secrets Manager does not, or
// words otherwise; nil for the others.
func queryByCode(op tacet.Operation, e *tacet.Error) *failure {
	if op == tacet.OpDecodeAuthorizationMessage && (e.Code == tacet.PrincipalNotFound || e.Code == tacet.InvalidParameter) {
		return &failure{400, "InvalidAuthorizationMessageException", "Message is not valid", false}
	}
	if op == tacet.OpGetAccessKeyInfo && e.Code == tacet.PrincipalNotFound {
		return &failure{400, "ValidationError", e.Detail, false}
	}
	switch e.Code {
	case tacet.Denied:
		return &failure{403, "AccessDenied", queryDenial(op, e.Denial), false}
	case tacet.PrincipalNotFound:
		return &failure{404, "NoSuchEntity", e.Detail, false}
	case tacet.PrincipalExists:
		return &failure{409, "EntityAlreadyExists", e.Detail, false}
	case tacet.PrincipalInUse:
		return &failure{409, "DeleteConflict", e.Detail, false}
	case tacet.LimitExceeded:
		return &failure{409, "LimitExceeded", e.Detail, false}
	case tacet.InvalidParameter, tacet.RequestInvalid:
		return &failure{400, "ValidationError", e.Detail, false}
	case tacet.InvalidRequest:
		if op.Service() == "iam" {
			return &failure{400, "InvalidInput", e.Detail, false}
		}
		return &failure{403, "AccessDenied", e.Detail, false}
	case tacet.InvalidNextToken:
		return &failure{400, "ValidationError", "Invalid Marker.", false}
	case tacet.PolicyMalformed:
		return &failure{400, "MalformedPolicyDocument", "Syntax errors in policy. " + e.Detail, false}
	case tacet.PolicyPrincipal:
		return &failure{400, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"` + e.Detail + `"`, false}
	case tacet.IdentityTokenInvalid:
		return &failure{400, "InvalidIdentityToken", e.Detail, false}
	case tacet.IdentityTokenExpired:
		return &failure{400, "ExpiredTokenException", e.Detail, false}
	case tacet.IdentityTokenRejected:
		return &failure{403, "IDPRejectedClaim", e.Detail, false}
	case tacet.IssuerUnreachable:
		return &failure{400, "IDPCommunicationError", e.Detail, false}
	case tacet.SessionTooLarge:
		return &failure{400, "PackedPolicyTooLarge", e.Detail, false}
	case tacet.SessionTagsInvalid:
		return &failure{400, "InvalidParameterValue", e.Detail, false}
	}
	return nil
}

// queryDenial words a refusal as STS and IAM do: they do not say why a role's session is
// refused, since that would tell whether there is such a role.
func queryDenial(op tacet.Operation, d *tacet.Denial) string {
	switch {
	case op == tacet.OpAssumeRoleWithWebIdentity:
		return "Not authorized to perform sts:" + string(op)
	case op == tacet.OpAssumeRole && d != nil:
		return "User: " + d.Caller + " is not authorized to perform: " + d.Action + " on resource: " + d.Resource
	}
	if d == nil || op.Service() != "iam" {
		return denialText(d)
	}
	said := *d
	if said.Resource = iamResource(op, d.Resource); strings.HasPrefix(said.Resource, "access key ") {
		return strings.Replace(denialText(&said), "to perform: ", "to perform ", 1) // so AWS, of a key that is not there
	}
	return denialText(&said)
}

// iamResource names what a refused operation of IAM was about, as IAM does: what exists is
// named as the caller named it, so that the text does not tell whether it exists, and in
// which path.
func iamResource(op tacet.Operation, arn string) string {
	rest, _ := strings.CutPrefix(arn, "arn:aws:iam::")
	_, tail, _ := strings.Cut(rest, ":")
	kind, path, _ := strings.Cut(tail, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch tacet.PrincipalKind(kind) {
	case tacet.KindUser, tacet.KindGroup, tacet.KindRole:
		switch {
		case path == "*":
			return strings.TrimSuffix(arn, "*")
		case op == tacet.OpCreateUser, op == tacet.OpCreateGroup, op == tacet.OpCreateRole, op == tacet.OpSimulatePrincipalPolicy, op == tacet.OpGetContextKeysForPrincipalPolicy:
			return arn
		}
		return kind + " " + name
	case tacet.KindPolicy:
		switch {
		case path == "*":
			return "policy path /"
		case op == tacet.OpCreatePolicy:
			return "policy " + name
		}
		return "policy " + arn
	}
	if arn == "" {
		return "*"
	}
	return arn
}

// queryFailure turns a JSON service's exception into the Query protocol's: another
// code for the same thing, and 403 where authentication or authorisation failed.
func queryFailure(f *failure) *failure {
	q := *f
	switch f.code {
	case "MissingAuthenticationTokenException":
		q.status, q.code = 403, "MissingAuthenticationToken"
	case "IncompleteSignatureException":
		q.code = "IncompleteSignature"
	case "InvalidSignatureException":
		q.status, q.code = 403, "SignatureDoesNotMatch"
	case "UnrecognizedClientException":
		q.status, q.code = 403, "InvalidClientTokenId"
	case "ExpiredTokenException":
		q.status, q.code = 403, "ExpiredToken"
	case "AccessDeniedException":
		q.status, q.code = 403, "AccessDenied"
	case "ThrottlingException":
		q.code = "Throttling"
	case "InternalServiceError":
		q.code = "InternalFailure"
	case "UnknownOperationException":
		q.code = "InvalidAction"
	}
	if q.status == 400 && (strings.HasPrefix(q.code, "Invalid") && strings.HasSuffix(q.code, "Exception") || q.code == "ValidationException") {
		q.code = "ValidationError"
	}
	return &q
}
