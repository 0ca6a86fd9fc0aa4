// Command tacet is a self-hosted secrets store that AWS's own clients speak to: the
// server, its tools and a development server in one binary.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
