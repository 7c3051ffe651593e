//go:build !unix

package worker

import "errors"

// Usage reads what the server has used.
func Usage() (ResourceUsage, error) {
	return ResourceUsage{}, errors.New("this system does not tell what a process has used")
}
