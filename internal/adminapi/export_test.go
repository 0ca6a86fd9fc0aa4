package adminapi

// Paths lists the paths of the operations, for the tests from outside.
func Paths() []string {
	var out []string
	for _, op := range operations() {
		out = append(out, op.path)
	}
	return out
}
