package dev.troupe.runtime.engine.interpreter;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Binds a method to a meaning that rows of the instruction table name. The dispatch generator reads it; nothing does at run
 * time.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Meaning {
  /** Names in the table's last column. */
  String[] value();
}
