package azureapi

import "strings"

// Routes lists the methods and paths of every operation, for the crawl.
func Routes() [][2]string {
	var out [][2]string
	for _, op := range operations() {
		out = append(out, [2]string{op.method, strings.Join(op.path, "/")})
	}
	return out
}
