#include "wire/observers.h"

#include "wire/imap/observer.h"
#include "wire/pop3/observer.h"
#include "wire/smtp/observer.h"
