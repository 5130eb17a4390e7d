package userpool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// directory keeps small files, each readable by its owner only. The empty
// directory keeps nothing and finds nothing.
type directory string

func openDir(path string) (directory, error) {
	if path == "" {
		return "", nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("open state directory: %w", err)
	}
	return directory(path), nil
}

// read gives a file's content, nil when there is none.
func (d directory) read(name string) ([]byte, error) {
	if d == "" {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(string(d), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open state directory: %w", err)
	}
	return data, nil
}

// write replaces a file in one step: a reader finds the old content or the new.
func (d directory) write(name string, data []byte) error {
	if d == "" {
		return nil
	}
	if err := d.replace(name, data); err != nil {
		return fmt.Errorf("keep state: %w", err)
	}
	return nil
}

func (d directory) replace(name string, data []byte) error {
	f, err := os.CreateTemp(string(d), name+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(string(d), name))
}

func (d directory) readJSON(name string, v any) (found bool, err error) {
	data, err := d.read(name)
	if data == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("read %s: %w: delete it and a new one is made", filepath.Join(string(d), name), err)
	}
	return true, nil
}

func (d directory) writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("keep state: %w", err)
	}
	return d.write(name, append(data, '\n'))
}
