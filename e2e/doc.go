// Package e2e drives a running tacet with the official clients: the AWS SDKs for Go,
// JavaScript and Python, the aws command and Terraform. It is a module of its own so
// that nobody who builds Tacet downloads the SDKs.
package e2e
