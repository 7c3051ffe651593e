package sfu

import (
	"slices"
	"sync/atomic"
)

// sharedList is read without a lock and copied on change. The zero value is
// empty.
type sharedList[T comparable] struct {
	list atomic.Pointer[[]T] // nil before the first
}

// all is the list, which does not change any more.
func (l *sharedList[T]) all() []T {
	if list := l.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (l *sharedList[T]) add(item T) {
	l.change(func(list []T) []T { return append(list, item) })
}

func (l *sharedList[T]) remove(item T) {
	l.change(func(list []T) []T { return slices.DeleteFunc(list, func(other T) bool { return other == item }) })
}

func (l *sharedList[T]) change(f func([]T) []T) {
	for {
		old := l.list.Load()
		next := []T(nil)
		if old != nil {
			next = slices.Clone(*old)
		}
		next = f(next)
		if l.list.CompareAndSwap(old, &next) {
			return
		}
	}
}
