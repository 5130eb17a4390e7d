package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"fairway/internal/wire/uuid"
)

// folder is where a journal lies. One process at a time has it.
type folder struct {
	dir  string
	lock *os.File // as long as it is open
}

// lockFolder makes the folder where it is missing, and keeps other processes out.
func lockFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the ledger's folder: %w", err)
	}
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the ledger's folder: %w", err)
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the ledger's folder: %s: %w: give each server a folder of its own", path, err), file.Close())
	}
	return &folder{dir: dir, lock: file}, nil
}

// unlock lets another process have the folder. Of none it does nothing.
func (f *folder) unlock() error {
	if f == nil {
		return nil
	}
	return f.lock.Close()
}

var serverID = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// server is the id of the server whose folder this is, a random one that is written
// down at first.
func (f *folder) server() (string, error) {
	path := filepath.Join(f.dir, "server")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.name(path)
	}
	if err != nil {
		return "", fmt.Errorf("read the server's id: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if !serverID.MatchString(id) {
		return "", fmt.Errorf("read the server's id: %s holds none: restore it, or remove it once the store has been told that the server is gone", path)
	}
	return id, nil
}

// name writes an id down, whole or not at all.
func (f *folder) name(path string) (string, error) {
	id, draft := uuid.New(), path+".new"
	err := errors.Join(writeDown(draft, id+"\n"), os.Rename(draft, path), syncFolder(f.dir))
	if err != nil {
		return "", fmt.Errorf("write the server's id: %w", err)
	}
	return id, nil
}

// writeDown writes a file that is on the disk when it returns.
func writeDown(path, text string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}
