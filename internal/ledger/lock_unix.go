//go:build unix && !solaris && !illumos && !aix

package ledger

import (
	"os"
	"syscall"
)

// lock keeps other processes from locking the file, while this one has it open.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// syncFolder makes sure that the names of new files are on the disk.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close() // was only synced
	return folder.Sync()
}
