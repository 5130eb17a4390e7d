package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// partFile is a file that has its name only once it is whole.
type partFile struct {
	name string
	file *os.File // beside it
}

// createPart makes sure that a file called name can be written.
func createPart(name string) (*partFile, error) {
	if old, err := os.Stat(name); err == nil {
		if !old.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file", name)
		}
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, err
		}
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return nil, err
	}
	return &partFile{name, file}, nil
}

// keep gives the file its name. It is its owner's alone: records say who called.
func (p *partFile) keep() error {
	if err := errors.Join(p.file.Sync(), p.file.Close()); err != nil {
		return err
	}
	return os.Rename(p.file.Name(), p.name)
}

// discard removes what is not whole.
func (p *partFile) discard() {
	p.file.Close()
	os.Remove(p.file.Name())
}
