package javax.annotation;

/** Marks generated code. Java has no longer had it since 11, and the generator's archive has all else that clients need. */
public @interface Generated {
  String[] value();

  String date() default "";

  String comments() default "";
}
