// Package tacet is the vocabulary of the house: the words for secrets, versions,
// callers, operations, records and errors that every room shares.
//
// It imports the standard library only and does no I/O, so that it can be
// imported from anywhere and read first. Two clouds are seen through these words:
// a [Secret] is an AWS secret and an Azure Key Vault secret at once, a [Vault] is
// an account in a region and a key vault at once.
package tacet
