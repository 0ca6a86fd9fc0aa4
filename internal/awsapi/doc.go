// Package awsapi is the face that AWS SDKs speak to: Secrets Manager over JSON 1.1, STS and
// IAM over the Query protocol.
//
// A request walks through [Handler.ServeHTTP] in one order: size and path, method,
// signature, target, JSON, the model's constraints, and then one call of the core. The
// operations are rows of a table (operations.go) under one generic serve; inputs are in
// inputs.go, answers in answers.go, the one translation of errors in errors.go. The Query
// protocol has the same in query.go, sts.go, iam.go with iam_read.go and iam_write.go, and
// query_errors.go. There is no
// decision about secrets in this package: what a face seems to need of that is a word
// missing in the core.
//
// The contract is AWS's: the API references of Secrets Manager, STS and IAM, and the service
// model of the SDKs. Where AWS does not say, the comment at the place does.
package awsapi
