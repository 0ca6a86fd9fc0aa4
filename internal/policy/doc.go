// Package policy is the IAM policy language: it reads policy documents and decides
// requests by them.
//
// It is pure: no I/O, no clock, no state. What a request looks like is in
// [Request], what the policies say is in [Set], and [Decide] is a function of the
// two. [Explain] tells the same story statement by statement and condition by
// condition, [Summarize] the part of it that is worth keeping with a denial.
//
// # Reading
//
// [Parse] reads a whole document or refuses it. What it does not understand, an
// element, an operator, a value of the wrong type, is an error that names its place,
// because a policy of which a part is ignored says something else than its author
// meant. The rules are those of the IAM JSON policy reference, elements and
// operators spelled exactly as there. A document without a Version is of
// 2008-10-17, which has no variables.
//
// # Names
//
// An operation may have several names ([Request].Actions), one for each cloud. They
// are names of one thing: a list of actions contains the operation if it contains
// any of its names, for Action and NotAction, for Allow and Deny alike. So a
// deny under one name denies, an allow under one name allows, and an operation that
// NotAction excepts under one name is excepted.
//
// Condition keys are case-insensitive. They reach [Context] in lower case, except
// the tag key after "ResourceTag/", "RequestTag/" or "PrincipalTag/", which stays as
// the policy's author wrote it. Tag keys in condition keys are case-insensitive
// too, as in AWS, so the context must compare that part without regard to case.
//
// # Matching
//
// Resources, principals and the values of String and Arn conditions are compared
// byte for byte: nothing is normalised, decoded or folded. "*" is any run of
// characters, "?" is any one character. The value of a variable is inserted as a
// literal: a user named "*" is a user named "*". A variable that has no value, or
// several, and no default, makes the pattern it stands in match nothing; an Allow
// whose NotResource contains it grants nothing.
//
// # Deciding
//
// A Deny that matches, anywhere, decides. Otherwise, in the resource's account, the
// request needs an Allow that is not cut off by a limit:
//
//	an Allow in                                  is limited by
//	an identity policy                           boundary and session policy
//	the resource policy, for "*", a user or
//	  a role session                             nothing
//	the resource policy, for a role (by ARN
//	  or id), or by NotPrincipal                 boundary and session policy
//	the resource policy, for an account          is no grant: it leaves the decision
//	                                             to the account's identity policies
//	an assignment                                boundary and session policy
//
// From another account both sides must allow: the identity policies within their
// limits, and the resource policy for the caller under any of these names. An assignment,
// which is Azure's kind of grant and is made at the resource's vault for one principal, is
// enough by itself, from any account and for a root as well. The root
// of an account may do everything in it that a resource policy does not deny. A
// service, a federated identity and nobody ([Caller].Anonymous) have only the resource
// policy, and a federated identity must be named there: "*" does not let it in.
//
// A role lets in whom its trust policy names, at home too ([Set].Trust): identity policies
// alone are not enough there, not even the root's rights. A user, a session or a role
// that is named needs no more than that at home; if it is the account that is named,
// its identity policies must allow as well, and from abroad they always must.
package policy
