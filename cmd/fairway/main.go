// Command fairway answers an application's model calls across regions.
package main

import (
	"os"

	"golang.org/x/term"

	"fairway/internal/cli"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Surroundings{
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Getenv:   os.Getenv,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
		Version:  version,
	}))
}
