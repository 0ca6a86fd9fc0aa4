// Package azureapi is the face that Azure SDKs speak to: Key Vault's data plane, and the
// endpoints where they get tokens.
//
// A request for a vault walks through [Handler.ServeHTTP] in one order: the vault that its
// host names, the token (without one the challenge is answered whatever else the request
// is), the api-version, the route, names and body, and then one call of the core. The
// operations are rows of a table (operations.go) under one generic serve; inputs are in
// inputs.go, answers in write.go, the one translation of errors in errors.go. There is no
// decision about secrets in this package.
//
// The contract is Azure's: the REST reference of Key Vault, the sources of the SDKs and of
// MSAL, and recorded traffic. Where they do not say, the comment at the place does.
package azureapi
