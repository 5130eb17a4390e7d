//go:build !unix

package store

import "errors"

type postgresCluster struct{}

func (postgresCluster) start() (string, error) {
	return "", errors.New("a private cluster is started on Unix only")
}

func (postgresCluster) stop() {}
