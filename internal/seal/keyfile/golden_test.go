package keyfile

// What an earlier version made of the key "0123456789abcdef0123456789abcdef": its name,
// and "plaintext" wrapped with the aad "aad", in hexadecimal.
const (
	goldenName    = "file-b43ccb6298e9678c0013"
	goldenWrapped = "0162e4b5fb14f9d60036843210f543bea7f2ddeb533c70cac5b91ff636130a7479ec105eb5ea"
)
