// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"hash/maphash"
	"reflect"
	"sync"
)

// words lets what is kept for long share its strings. Objects say much that others say too, and one says several times what belongs to
// its certificate; each time it is decoded as a string of its own. A table as large as this forgets: it costs
// little whatever the size of a fleet, and what belongs together comes together.
type words struct {
	mu   sync.Mutex
	said [1 << 13]string
}

// shared are the words of this process.
var shared words

var wordSeed = maphash.MakeSeed()

// longestWord is how long strings are, in bytes, that are worth a place in the table.
const longestWord = 512

// same is a string that equals the given one, and that others may have too.
func (w *words) same(text string) string {
	if text == "" || len(text) > longestWord {
		return text
	}
	place := &w.said[maphash.String(wordSeed, text)%uint64(len(w.said))]
	w.mu.Lock()
	defer w.mu.Unlock()
	if *place != text {
		*place = text
	}
	return *place
}

// settle has the strings in what a pointer points to shared, and gives back what its slices have to spare. It is changed in place,
// and equals what it was.
func (w *words) settle(pointer any) {
	if v := reflect.ValueOf(pointer); v.Kind() == reflect.Pointer && !v.IsNil() {
		w.settleValue(v.Elem())
	}
}

func (w *words) settleValue(v reflect.Value) {
	if !v.CanSet() { // not exported, as the inside of a time
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(w.same(v.String()))
	case reflect.Pointer:
		w.settleValue(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() { //nolint:modernize // Fields describes each field too, which costs an allocation
			w.settleValue(v.Field(i))
		}
	case reflect.Slice:
		w.settleSlice(v)
	case reflect.Map:
		w.settleMap(v)
	default: // numbers, and what has no strings
	}
}

func (w *words) settleSlice(v reflect.Value) {
	if v.Cap() > v.Len() { // decoded into one with room for more
		exact := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(exact, v)
		v.Set(exact)
	}
	for i := range v.Len() {
		w.settleValue(v.Index(i))
	}
}

// settleMap is for maps of strings; there are no others with much in them.
func (w *words) settleMap(v reflect.Value) {
	if v.IsNil() || v.Type().Key().Kind() != reflect.String || v.Type().Elem().Kind() != reflect.String {
		return
	}
	exact := reflect.MakeMapWithSize(v.Type(), v.Len())
	for each := v.MapRange(); each.Next(); {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString(w.same(each.Key().String()))
		value.SetString(w.same(each.Value().String()))
		exact.SetMapIndex(key, value)
	}
	v.Set(exact)
}
